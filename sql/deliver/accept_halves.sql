-- The feeds $1 got something accepted while their units are told in halves: it is units that are bad. Locks those feeds.
-- Says which they are.
update rentsync.feed set halving_accepted = true where feed_id = any ($1) and halving is not null
returning feed_id
