-- The webhook knows of alerts of kind $1 about receiver $2 up to $3; the next is not before $5 seconds from $4 (null: now).
-- Locks that row.
update rentsync.alert_post
   set told_at = greatest(told_at, $3), due_at = coalesce($4, clock_timestamp()) + make_interval(secs => $5)
 where kind = $1 and receiver = $2
