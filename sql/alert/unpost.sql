-- The alerts of kind $1 about receiver $2 could not be posted: they are tried again $4 seconds from $3 (null: now). Locks
-- that row.
update rentsync.alert_post
   set posted_at = coalesce($3, clock_timestamp()) - interval '1 hour' + make_interval(secs => $4)
 where kind = $1 and receiver = $2
