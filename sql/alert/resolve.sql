-- The open alerts of the kinds $2 about receiver $1 are over, at $3 (null: now). Locks them.
update rentsync.alert
   set acked_at = coalesce($3, clock_timestamp())
 where receiver = $1 and kind = any ($2) and acked_at is null
