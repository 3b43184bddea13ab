-- What keeps receiver $1 from being told everything: its pause, its feeds', holds, units withheld, alerts. Reads only. No row:
-- it was never run against this database.
select r.paused_at, r.paused_because, nullif(r.probe_at, 'infinity') as next_probe,
       case when r.wait_until > clock_timestamp() then r.wait_until end as wait_until,
       exists (select from rentsync.source_identity n where n.receiver = r.receiver and n.waits_since is not null) as waits,
       feeds.feeds, feeds.paused, feeds.rejected,
       holds.holds, holds.held,
       withheld.refused, withheld.invalid,
       alerts.alerts, alerts.kinds
  from rentsync.receiver r
 cross join lateral (
       select count(*) as feeds,
              count(*) filter (where f.paused_because = 'paused by command') as paused,
              count(*) filter (where f.paused_because <> 'paused by command') as rejected
         from rentsync.feed f
        where f.receiver = r.receiver
       ) as feeds
 cross join lateral (
       select count(*) as holds, coalesce(sum(h.units), 0)::bigint as held
         from rentsync.hold h
        where h.receiver = r.receiver and h.state = 'open'
       ) as holds
 cross join lateral (
       select count(*) filter (where l.withheld = 'refused') as refused,
              count(*) filter (where l.withheld = 'invalid') as invalid
         from rentsync.ledger l
         join rentsync.feed f using (feed_id)
        where f.receiver = r.receiver and l.withheld is not null
       ) as withheld
 cross join lateral (
       select count(*) as alerts, string_agg(distinct a.kind, ', ' order by a.kind) as kinds
         from rentsync.alert a
        where a.receiver = r.receiver and a.acked_at is null
       ) as alerts
 where r.receiver = $1
