-- How each receiver stands ($1: this one, null: all). A change is not delivered while it lies beyond its feed's cursor, in an
-- open sync, or in one that was given up after the last that was taken, as long as the feed owes anything. Reads only; asks
-- every feed for changes beyond its cursor.
select r.receiver,
       case when r.paused_at is not null then 'paused'
            when r.wait_until > clock_timestamp() then 'waiting'
            else 'sending'
       end as state,
       r.paused_at as since, r.paused_because as because,
       nullif(r.probe_at, 'infinity') as next_probe, r.probes as failed_probes,
       r.failures as failures_in_a_row, r.concurrency,
       case when r.wait_until > clock_timestamp() then r.wait_until end as wait_until,
       exists (select from rentsync.lineage l where l.receiver = r.receiver and l.waits_since is not null) as waits_for_resync,
       feeds.feeds, feeds.feeds_behind, feeds.feeds_resting, feeds.feeds_paused,
       units.units_told, units.units_owed, units.units_replayed, units.units_kept_back,
       least(feeds.oldest_change, syncs.oldest_change) as oldest_change,
       syncs.open_syncs, syncs.open_replays, syncs.next_try, syncs.last_delivered,
       (select count(*) from rentsync.hold h where h.receiver = r.receiver and h.state = 'open') as holds,
       (select count(*) from rentsync.alert a where a.receiver = r.receiver and a.acked_at is null) as alerts
  from rentsync.receiver r
  join rentsync.receiver_backlog feeds using (receiver)
 cross join lateral (
       select count(l.hash) filter (where l.removed is null) as units_told, count(l.owed) as units_owed,
              count(*) filter (where l.owed = 'replay' and l.kept_back is null) as units_replayed, count(l.kept_back) as units_kept_back
         from rentsync.feed f
         join rentsync.ledger l using (feed_id)
        where f.receiver = r.receiver
       ) as units
 cross join lateral (
       select count(*) filter (where s.state = 'open') as open_syncs,
              count(*) filter (where s.state = 'open' and (s.sync_type = 'replay' or s.redelivered_at is not null)) as open_replays,
              min(s.due_at) as next_try,
              min(s.oldest_change) filter (where s.state = 'open') as oldest_change,
              max(s.settled_at) filter (where s.state = 'delivered') as last_delivered
         from rentsync.sync s
        where s.receiver = r.receiver
       ) as syncs
 where $1::text is null or r.receiver = $1
 order by r.receiver
