-- A probe of the paused receiver $1 failed; the next is not before $3 seconds from $2 (null: now). Locks its row.
update rentsync.receiver
   set probes = probes + 1,
       probe_at = greatest(probe_at, coalesce($2, clock_timestamp()) + make_interval(secs => $3))
 where receiver = $1 and paused_at is not null
