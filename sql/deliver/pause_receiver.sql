-- Pauses receiver $1 because of $3; a probe is due $4 seconds from $2 (null: now), or never (null): then a person paused
-- it, and no answer that comes later changes that. Locks its row. Says whether it was open before.
with before as (
    select receiver, paused_at is null as was_open from rentsync.receiver where receiver = $1 for no key update
)
update rentsync.receiver r
   set paused_at = coalesce(r.paused_at, $2, clock_timestamp()),
       paused_because = $3,
       probe_at = coalesce(coalesce($2, clock_timestamp()) + make_interval(secs => $4::float8), 'infinity')
  from before
 where r.receiver = before.receiver and (r.probe_at is distinct from 'infinity' or $4::float8 is null)
returning before.was_open
