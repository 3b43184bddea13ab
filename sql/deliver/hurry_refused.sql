-- Receiver $1 acknowledged the syncs $2 after it had failed: what it refused since it last did may have met that failure, and is due
-- at $3 (null: now). Costs what was refused since, found step by step, so that nothing is read before it is known to be asked for. Locks the feeds of what was refused, then those units.
with failed as materialized (
    select r.receiver,
           coalesce((select max(s.settled_at) from rentsync.sync s
                      where s.receiver = r.receiver and s.state = 'delivered' and s.sequence <> all ($2)), '-infinity') as acknowledged_at
      from rentsync.receiver r
     where r.receiver = $1
), feeds as materialized (
    select refused.feed_id, failed.acknowledged_at
      from failed
     cross join lateral (
           select f.feed_id from rentsync.feed f
            where f.receiver = failed.receiver and f.refused_at >= failed.acknowledged_at and f.retry_at is not null
            order by f.feed_id
           offset 0
              for no key update
           ) as refused
), units as materialized (
    select refused.feed_id, refused.unit_id
      from feeds
     cross join lateral (
           select l.feed_id, l.unit_id from rentsync.ledger l
            where l.feed_id = feeds.feed_id and l.withheld = 'refused' and l.bisection is null and l.withheld_at >= feeds.acknowledged_at
           offset 0
           ) as refused
), due as (
    update rentsync.ledger l
       set retry_at = coalesce($3, clock_timestamp())
      from units
     where l.feed_id = units.feed_id and l.unit_id = units.unit_id
)
update rentsync.feed
   set retry_at = coalesce($3, clock_timestamp())
 where feed_id in (select feed_id from units)
