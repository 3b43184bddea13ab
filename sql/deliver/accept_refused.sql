-- The receiver acknowledged the syncs $2 of the feeds $1, pairwise. Where a unit was among that which it refused before, it may accept
-- now whatever else it refused of that feed: due at $3 (null: now), and what is owed by itself for that reason is sent together.
-- Looks up what was refused before by its index, and tells the others apart by a hash. Locks those feeds and units.
with known as materialized (
    select before.feed_id, before.unit_id
      from unnest($1::bigint[], $2::bigint[]) as accepted (feed_id, sequence)
     cross join lateral (
           select l.feed_id, l.unit_id from rentsync.ledger l
            where l.feed_id = accepted.feed_id and l.refusals > 0 and l.sequence = accepted.sequence and l.withheld is null
           offset 0
           ) as before
), cleared as (
    update rentsync.ledger l
       set refusals = 0
      from known
     where l.feed_id = known.feed_id and l.unit_id = known.unit_id
    returning l.feed_id, l.unit_id
), others as (
    update rentsync.ledger l
       set retry_at = case when l.withheld = 'refused' then coalesce($3, clock_timestamp()) end, bisection = null
     where l.feed_id = any (array(select feed_id from cleared)) and l.refusals > 0
       and (l.withheld = 'refused' and l.bisection is null or l.withheld is null and l.bisection < 0)
       and (l.feed_id, l.unit_id) not in (select feed_id, unit_id from cleared)
    returning l.feed_id, l.withheld
)
update rentsync.feed
   set retry_at = coalesce($3, clock_timestamp())
 where feed_id in (select feed_id from others where withheld = 'refused')
