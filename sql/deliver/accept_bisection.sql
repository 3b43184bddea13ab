-- The feeds $1 got something accepted: they fail no more, and where their units are sent in halves it is units that are bad. Locks
-- those feeds. Says where units are.
with accepted as (
    update rentsync.feed
       set bisection_accepted = bisected_sync is not null, failures = 0, searched = 0
     where feed_id = any ($1) and (bisected_sync is not null or failures > 0)
    returning feed_id, bisected_sync
)
select feed_id from accepted where bisected_sync is not null
