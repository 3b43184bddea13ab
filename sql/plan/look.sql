-- Where receiver $1 stands: which properties have changes of transactions that the snapshot $2 does not see; how many
-- syncs are due, and how many of those no living relay has leased; whether it is paused, and then due a probe; whether a snapshot
-- run is under way. At $3 (null: now).
--
-- Not visible in a snapshot means: at or beyond its xmax, or in progress when it was taken. Asking for just these two
-- makes the cost independent of how long an old transaction has been open. Null in the array: every property.
-- Reads only; takes no lock. The answer's own snapshot is what the next look starts from.
select pg_current_snapshot()::text,
       array(
           select property_id from rentsync.outbox
            where xid >= pg_snapshot_xmax($2::text::pg_snapshot)
            union
           select property_id from rentsync.outbox
            where xid = any (array(select pg_snapshot_xip($2::text::pg_snapshot)))),
       due.syncs,
       due.free,
       r.paused_at is not null,
       coalesce(r.probe_at <= coalesce($3, clock_timestamp()), false),
       r.probes,
       exists (select from rentsync.snapshot_run run where run.receiver = $1 and run.finished_at is null)
  from rentsync.receiver r
 cross join lateral (
       select count(*) as syncs,
              count(*) filter (where s.leased_until is null or s.leased_until <= coalesce($3, clock_timestamp())
                                  or s.relay_id is not null
                                 and not exists (select from rentsync.live_relay live where live.relay_id = s.relay_id)) as free
         from rentsync.sync s
        where s.receiver = $1 and s.state = 'open' and s.due_at <= coalesce($3, clock_timestamp())
          and (r.paused_at is null or s.probe)
          and (r.paused_at is not null or r.wait_until is null or r.wait_until <= coalesce($3, clock_timestamp()))
       ) as due
 where r.receiver = $1
