-- What sync $2 carried of feed $1 is sent again in two halves, each by itself: nothing in the answer says which unit is bad.
-- The first rejection begins a search, noted on the feed. Locks the feed and the units.
with half as (
    select unit_id, $2 * 2 + (row_number() over (order by unit_id) * 2 > count(*) over ())::integer as bisection
      from rentsync.ledger
     where feed_id = $1 and sequence = $2 and withheld is null
), searched as (
    update rentsync.feed
       set bisection_accepted = bisected_sync is not null and bisection_accepted, bisected_sync = coalesce(bisected_sync, $2),
           searched = searched + 1
     where feed_id = $1
)
update rentsync.ledger l
   set owed = 'in_doubt', bisection = half.bisection
  from half
 where l.feed_id = $1 and l.unit_id = half.unit_id
