-- What feed $1 has yet to tell beside what sync $2 told is told as suspects from now on, and the search that this begins is noted
-- on the feed: is it the unit that stood alone, or the property? Locks the feed and the units. Says how many there are.
with rest as (
    update rentsync.ledger
       set suspect = $2 * 2 + 1
     where feed_id = $1 and sequence is distinct from $2 and owed is not null and kept_back is null
    returning unit_id
), searched as (
    update rentsync.feed set halving = $2, halving_accepted = false
     where feed_id = $1 and halving is null and exists (select from rest)
)
select count(*) from rest
