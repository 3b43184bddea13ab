-- Nothing is leased for receiver $1 for $3 seconds from $2 (null: now). If $4, it asked for that by a 429, which is counted until it
-- takes something. Locks its row. Says for how many seconds it has answered nothing else.
update rentsync.receiver
   set wait_until    = greatest(wait_until, coalesce($2, clock_timestamp()) + make_interval(secs => $3)),
       waits         = waits + $4::boolean::integer,
       waiting_since = case when $4 then coalesce(waiting_since, $2, clock_timestamp()) else waiting_since end
 where receiver = $1
returning coalesce(extract(epoch from coalesce($2, clock_timestamp()) - waiting_since), 0)::float8
