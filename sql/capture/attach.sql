-- Puts the triggers on the tables $1 (properties) and $2 (units). Locks both against writers, for moments, until commit.
select rentsync.attach($1::text::regclass, $2::text::regclass)
