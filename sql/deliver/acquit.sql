-- What stood alone in feed $1's search for bad units was not shown to be bad: owed again. The search is over unless it goes on ($2). Locks the
-- feed and the units.
with searched as (
    update rentsync.feed set bisected_sync = null, bisection_accepted = false where feed_id = $1 and not $2
)
update rentsync.ledger
   set withheld = null, withheld_because = null, refused_hash = null, withheld_at = null, owed = 'retry', bisection = null
 where feed_id = $1 and bisection is not null and withheld = 'refused'
