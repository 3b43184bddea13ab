-- What sync $1 says of its feeds that is not so any more once it is sent again: a row a unit, or one without a unit where
-- it carries none; whether the ledger knows it, and whether it needs a tombstone, as units.sql has it ($2: the receiver knows
-- removals, $3: it knows units by their ids alone). Each unit is looked up by itself: joined, all of the ledger is read where statistics
-- know nothing of the sync. Reads only.
select f.feed_id, f.property_id, carried.unit_id,
       l.unit_id is not null,
       $2 and carried.unit_id is not null and l.unit_id is null
          and not ($3 and exists (
              select from rentsync.ledger other
                join rentsync.feed g on g.feed_id = other.feed_id and g.receiver = f.receiver
               where other.unit_id = carried.unit_id and other.feed_id <> f.feed_id and other.hash is not null)),
       b.unit_code, b.sequence
  from rentsync.sync_feed sf
  join lateral (select * from rentsync.feed f where f.feed_id = sf.feed_id offset 0) as f on true
  left join lateral unnest(sf.units || sf.gone) as carried (unit_id) on true
  left join lateral (
       select l.unit_id from rentsync.ledger l where l.feed_id = sf.feed_id and l.unit_id = carried.unit_id offset 0
       ) as l on true
  left join lateral (
       select b.unit_code, b.sequence from rentsync.purged_tombstone b where b.feed_id = sf.feed_id and b.unit_id = carried.unit_id offset 0
       ) as b on true
 where sf.sequence = $1
