-- The feeds $1 got something accepted: they fail no more, and where their units are told in halves it is units that are bad. Locks
-- those feeds. Says where units are.
with accepted as (
    update rentsync.feed
       set halving_accepted = halving is not null, failing = false
     where feed_id = any ($1) and (halving is not null or failing)
    returning feed_id, halving
)
select feed_id from accepted where halving is not null
