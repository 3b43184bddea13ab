-- Receiver $1 asked for silence: nothing is leased for $3 seconds from $2 (null: now). Locks its row.
update rentsync.receiver
   set wait_until = greatest(wait_until, coalesce($2, clock_timestamp()) + make_interval(secs => $3))
 where receiver = $1
