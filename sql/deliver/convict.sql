-- Ends the search for bad units of feed $1, if no bisection is left to be told: what stood alone is bad. Locks the feed and the units. Says
-- which they are.
with over as (
    update rentsync.feed f
       set bisected_sync = null, bisection_accepted = false
     where f.feed_id = $1 and f.bisected_sync is not null
       and not exists (select from rentsync.ledger l
                        where l.feed_id = f.feed_id and l.bisection is not null and l.owed is not null and l.withheld is null)
    returning f.feed_id
)
update rentsync.ledger l
   set owed = null, bisection = null
  from over
 where l.feed_id = over.feed_id and l.bisection is not null and l.withheld = 'refused'
returning l.unit_id
