-- Where receiver $1 stands: which properties have changes of transactions that the snapshot $2 does not see; how many
-- syncs are due, and how many of those no living relay has leased; whether it is paused, and then due a probe; whether a snapshot
-- run is under way. At $3 (null: now).
--
-- Not visible in a snapshot means: at or beyond its xmax, or in progress when it was taken. Asking for just these two
-- makes the cost independent of how long an old transaction has been open. Nothing that is seen lies beyond the present snapshot
-- either; said so, the server takes the range for a narrow one, whatever it knows of the table, and does not read all of it; the same
-- with each transaction in progress. Null in the array: every property. Those that
-- one transaction changed with many others come first, because the last have their turn first: an edit is not kept waiting by a mass change
-- that the same look finds.
-- Reads only; takes no lock. The answer's own snapshot is what the next look starts from.
select pg_current_snapshot()::text as snapshot,
       array(
           select one.property_id
             from (select change.property_id, count(*) over (partition by change.xid) as properties
                     from (select xid, property_id from rentsync.outbox
                            where xid >= pg_snapshot_xmax($2::text::pg_snapshot) and xid < pg_snapshot_xmax(pg_current_snapshot())
                            union
                           select o.xid, o.property_id
                             from pg_snapshot_xip($2::text::pg_snapshot) as running (xid)
                            cross join lateral (
                                  select xid, property_id from rentsync.outbox where xid >= running.xid and xid <= running.xid offset 0
                                  ) as o
                          ) as change
                  ) as one
            group by one.property_id
            order by min(one.properties) desc, one.property_id) as touched,
       due.syncs as due,
       due.free,
       r.paused_at is not null as is_paused,
       coalesce(r.probe_at <= coalesce($3, clock_timestamp()), false) as probe_is_due,
       r.probes,
       exists (select from rentsync.snapshot_run run where run.receiver = $1 and run.finished_at is null) as snapshot_runs
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
