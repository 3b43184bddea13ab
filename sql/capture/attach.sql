-- Puts the triggers on the tables $1 (properties) and $2 (units), tolerant ones where they were. Locks both against writers,
-- for moments, until commit.
select rentsync.attach($1::text::regclass, $2::text::regclass, coalesce((select bool_or(tolerant) from rentsync.attachment), false))
