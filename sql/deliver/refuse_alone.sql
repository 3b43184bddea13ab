-- Feed $1's search for bad units is over: what stood alone is refused, from $2 (null: now), for as many seconds as the element of $3
-- says that stands at how often it was in a row, the last for all beyond. They stay owed, whatever withholds them later. Locks the feed and the units. Says which.
with refused as (
    update rentsync.ledger l
       set owed = 'retry', bisection = null, refusals = least(l.refusals + 1, 32767),
           retry_at = coalesce($2, clock_timestamp()) + make_interval(secs => ($3::float8[])[least(l.refusals + 1, cardinality($3))])
     where l.feed_id = $1 and l.bisection is not null and l.withheld = 'refused'
    returning l.unit_id, l.retry_at
), over as (
    update rentsync.feed f
       set bisected_sync = null, bisection_accepted = false, searched = 0,
           retry_at = least(f.retry_at, (select min(retry_at) from refused)),
           refused_at = case when exists (select from refused) then coalesce($2, clock_timestamp()) else f.refused_at end
     where f.feed_id = $1
)
select unit_id from refused order by unit_id
