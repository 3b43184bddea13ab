-- What the ledger has of unit $2 for receiver $1 goes where its lead is in it, which no release since 0010 writes: a row that
-- came back with an old dump. Locks these rows. Says how many.
with emptied as (
    update rentsync.ledger l set content = null
      from rentsync.feed f
     where f.feed_id = l.feed_id and f.receiver = $1 and l.unit_id = $2 and l.content like '%"lead\_%'
    returning l.unit_id
)
select count(*) from emptied
