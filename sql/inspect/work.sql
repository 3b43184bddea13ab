-- What there is to do for each receiver ($1: this one, null: all), and what is wrong with it. Units are counted by kind, as that is
-- kept, and so is how long changes took. Reads only: what is kept of each receiver, one look at each feed, and what is open.
select r.receiver, clock_timestamp() as at,
       b.feeds, b.feeds_behind, b.feeds_cooling_down, b.feeds_paused,
       b.units_told, b.units_owed, b.units_replayed, b.units_withheld, kept.kinds, kept.units,
       (select count(*) from rentsync.feed f join rentsync.duplicate d using (feed_id)
         where f.receiver = r.receiver) as duplicate_codes,
       b.oldest_change, b.open_syncs,
       (select count(*) from rentsync.sync s
         where s.receiver = r.receiver and s.state = 'open' and (s.sync_type = 'replay' or s.redelivered_at is not null)) as open_replays,
       b.next_try, b.last_delivered,
       2 ^ (lag.half / 4.0::float8) / 1000 as lag_p50, 2 ^ (lag.most / 4.0::float8) / 1000 as lag_p99,
       hold.holds, hold.removals_held, alert.alerts, alert.alert_kinds
  from rentsync.receiver r
  join rentsync.receiver_backlog b using (receiver)
 cross join lateral (
       select coalesce(array_agg(w.kind), '{}') as kinds, coalesce(array_agg(w.units), '{}') as units
         from (select w.kind, sum(w.units)::bigint as units
                 from rentsync.withheld w
                where w.receiver = r.receiver and w.feed_id is null
                group by w.kind) as w
       ) as kept
 cross join lateral (
       select min(h.step) filter (where h.upto >= 0.5 * h.syncs) as half, min(h.step) filter (where h.upto >= 0.99 * h.syncs) as most
         from (select l.step, sum(sum(l.syncs)) over (order by l.step) as upto, sum(sum(l.syncs)) over () as syncs
                 from rentsync.lag_count l
                where l.receiver = r.receiver and l.began > statement_timestamp() - interval '1 hour'
                group by l.step) as h
       ) as lag
 cross join lateral (
       select count(*) as holds, coalesce(sum(h.units), 0)::bigint as removals_held
         from rentsync.hold h
        where h.receiver = r.receiver and h.state = 'open'
       ) as hold
 cross join lateral (
       select count(*) as alerts, string_agg(distinct a.kind, ', ' order by a.kind) as alert_kinds
         from rentsync.alert a
        where a.receiver = r.receiver and a.acked_at is null
       ) as alert
 where $1::text is null or r.receiver = $1
 order by r.receiver
