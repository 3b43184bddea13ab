-- Feed $1's search for bad units rests, or is over unless it goes on ($2): nothing was acknowledged. What stood alone is owed again,
-- unless it is kept apart until the rest was looked at ($3). Locks the feed and the units.
with searched as (
    update rentsync.feed
       set searched = 0, bisected_sync = case when $2 then bisected_sync end, bisection_accepted = $2 and bisection_accepted
     where feed_id = $1
)
update rentsync.ledger
   set withheld = null, withheld_because = null, refused_hash = null, withheld_at = null, owed = 'retry', bisection = null
 where feed_id = $1 and bisection is not null and withheld = 'refused' and not $3
