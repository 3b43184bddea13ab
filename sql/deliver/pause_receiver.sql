-- Pauses receiver $1 because of $3; a probe is due $4 seconds from $2 (null: now), or never (null): then a person paused
-- it, and no answer that comes later changes that. Locks its row.
update rentsync.receiver
   set paused_at = coalesce(paused_at, $2, clock_timestamp()),
       paused_because = $3,
       probe_at = coalesce(coalesce($2, clock_timestamp()) + make_interval(secs => $4), 'infinity')
 where receiver = $1 and (probe_at is distinct from 'infinity' or $4 is null)
