-- The units $3 of feed $1 (none: its property's fields alone), which sync $2 carried, stood alone and were rejected because of $4, at
-- $5 (null: now): withheld until the search for bad units is over, which begins with this sync if there was none. Locks the feed and the
-- units.
with searched as (
    update rentsync.feed
       set bisection_accepted = bisected_sync is not null and bisection_accepted, bisected_sync = coalesce(bisected_sync, $2),
           searched = searched + 1
     where feed_id = $1
)
update rentsync.ledger l
   set withheld = 'refused', withheld_because = $4, refused_hash = l.hash,
       withheld_at = coalesce($5, clock_timestamp()), owed = 'in_doubt', bisection = $2 * 2
 where l.feed_id = $1 and l.sequence = $2 and l.unit_id = any ($3)
