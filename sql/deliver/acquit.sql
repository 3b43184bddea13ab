-- What stood alone in feed $1's search for bad units was not shown to be bad: owed again. The search is over unless it goes on ($2). Locks the
-- feed and the units.
with searched as (
    update rentsync.feed set halving = null, halving_accepted = false where feed_id = $1 and not $2
)
update rentsync.ledger
   set kept_back = null, kept_back_because = null, kept_back_hash = null, kept_back_at = null, owed = 'retry', suspect = null
 where feed_id = $1 and suspect is not null and kept_back = 'refused'
