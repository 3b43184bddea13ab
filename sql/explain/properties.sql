-- The properties that have or had to do with unit $2, and their feeds to receiver $1: the source or the ledger has it there, its
-- removal was acknowledged, a sync carries it, or a change names it. Reads only; reads changes and syncs whole, because nothing
-- else asks for one unit's.
with known as (
    select s.property_id::bigint from rentsync.source_unit() s where s.unit_id = $2 and s.property_id is not null
     union
    select o.property_id from rentsync.outbox o where $2 = any (o.unit_ids)
     union
    select f.property_id
      from rentsync.feed f
     where f.receiver = $1
       and (exists (select from rentsync.ledger l where l.feed_id = f.feed_id and l.unit_id = $2)
         or exists (select from rentsync.purged_tombstone b where b.feed_id = f.feed_id and b.unit_id = $2)
         or f.feed_id in (select sf.feed_id from rentsync.sync_feed sf where $2 = any (sf.units) or $2 = any (sf.gone)))
)
select known.property_id, f.feed_id
  from known
  left join rentsync.feed f on f.receiver = $1 and f.property_id = known.property_id
 order by known.property_id
