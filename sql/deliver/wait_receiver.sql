-- Receiver $1 asked by a 429 to be left alone: nothing is leased for it for $3 seconds from $2 (null: now), which is counted until it
-- acknowledges something. Locks its row. Says for how many seconds it has answered nothing else.
update rentsync.receiver
   set wait_until    = greatest(wait_until, coalesce($2, clock_timestamp()) + make_interval(secs => $3)),
       waits         = waits + 1,
       waiting_since = coalesce(waiting_since, $2, clock_timestamp())
 where receiver = $1
returning coalesce(extract(epoch from coalesce($2, clock_timestamp()) - waiting_since), 0)::float8
