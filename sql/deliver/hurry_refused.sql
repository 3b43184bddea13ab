-- Receiver $1 took the syncs $2 after it had failed: what it refused since it last took anything may have met that failure, and is due
-- at $3 (null: now). Costs a look at its row where it did not fail. Locks the feeds of what it refuses, then those units.
with failed as (
    select r.receiver,
           coalesce((select max(s.settled_at) from rentsync.sync s
                      where s.receiver = r.receiver and s.state = 'delivered' and s.sequence <> all ($2)), '-infinity') as taken_at
      from rentsync.receiver r
     where r.receiver = $1 and r.failures > 0
), feeds as materialized (
    select f.feed_id, failed.taken_at
      from failed
      join rentsync.feed f on f.receiver = failed.receiver
     where f.retry_at is not null
     order by f.feed_id
       for no key update of f
), due as (
    update rentsync.ledger l
       set retry_at = coalesce($3, clock_timestamp())
      from feeds
     where l.feed_id = feeds.feed_id and l.withheld = 'refused' and l.bisection is null and l.withheld_at >= feeds.taken_at
    returning l.feed_id
)
update rentsync.feed
   set retry_at = coalesce($3, clock_timestamp())
 where feed_id in (select feed_id from due)
