-- The units $3 of feed $1 (none: its property's fields alone), which sync $2 told, stood alone and were rejected: refused because of $4, at $5 (null: now),
-- and still suspect until the search is judged, which begins with this sync if there was none. Locks the feed and the units.
with searched as (
    update rentsync.feed
       set halving_accepted = halving is not null and halving_accepted, halving = coalesce(halving, $2)
     where feed_id = $1
)
update rentsync.ledger l
   set kept_back = 'refused', kept_back_because = $4, kept_back_hash = l.hash,
       kept_back_at = coalesce($5, clock_timestamp()), owed = 'in_doubt', suspect = $2 * 2
 where l.feed_id = $1 and l.sequence = $2 and l.unit_id = any ($3)
