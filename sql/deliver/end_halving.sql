-- Ends feed $1's search for bad units, if nothing is left to be told in halves. Says with which sync it began and whether any
-- half was accepted. Locks the feed.
with over as (
    select f.feed_id, f.halving, f.halving_accepted
      from rentsync.feed f
     where f.feed_id = $1 and f.halving is not null
       and not exists (select from rentsync.ledger l
                        where l.feed_id = f.feed_id and l.suspect is not null and l.owed is not null and l.kept_back is null)
), ended as (
    update rentsync.feed f set halving = null, halving_accepted = false from over where f.feed_id = over.feed_id
)
select halving, halving_accepted from over
