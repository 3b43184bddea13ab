-- How each receiver stands ($1: this one, null: all), by what a scrape is told as well. Reads only: what is kept of each receiver,
-- one look at each feed, and what is open.
select r.receiver,
       case when r.paused_at is not null then 'paused'
            when r.wait_until > clock_timestamp() then 'waiting'
            else 'sending'
       end as state,
       r.paused_at as since, r.paused_because as because,
       nullif(r.probe_at, 'infinity') as next_probe, r.probes as failed_probes,
       r.failures as failures_in_a_row, r.concurrency,
       case when r.wait_until > clock_timestamp() then r.wait_until end as wait_until,
       exists (select from rentsync.source_identity l where l.receiver = r.receiver and l.waits_since is not null) as waits_for_resync,
       b.feeds, b.feeds_behind, b.feeds_cooling_down, b.feeds_paused,
       b.units_told, b.units_owed, b.units_replayed, b.units_withheld, b.oldest_change, b.open_syncs,
       (select count(*) from rentsync.sync s
         where s.receiver = r.receiver and s.state = 'open' and (s.sync_type = 'replay' or s.redelivered_at is not null)) as open_replays,
       b.next_try, b.last_delivered,
       (select count(*) from rentsync.hold h where h.receiver = r.receiver and h.state = 'open') as holds,
       (select count(*) from rentsync.alert a where a.receiver = r.receiver and a.acked_at is null) as alerts
  from rentsync.receiver r
  join rentsync.receiver_backlog b using (receiver)
 where $1::text is null or r.receiver = $1
 order by r.receiver
