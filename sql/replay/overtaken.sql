-- What sync $1 says of its feeds that is not so any more once it is sent again: a row a unit, or one without a unit where
-- it tells none; whether the ledger knows it, and whether it needs a tombstone, as units.sql has it ($2: the receiver knows
-- removals, $3: it knows units by their ids alone). Reads only.
select f.feed_id, f.property_id, told.unit_id,
       l.unit_id is not null,
       $2 and told.unit_id is not null and l.unit_id is null
          and not ($3 and exists (
              select from rentsync.ledger other
                join rentsync.feed g on g.feed_id = other.feed_id and g.receiver = f.receiver
               where other.unit_id = told.unit_id and other.feed_id <> f.feed_id and other.hash is not null)),
       b.unit_code, b.sequence
  from rentsync.sync_feed sf
  join rentsync.feed f using (feed_id)
  left join lateral unnest(sf.units || sf.gone) as told (unit_id) on true
  left join rentsync.ledger l on l.feed_id = f.feed_id and l.unit_id = told.unit_id
  left join rentsync.purged_tombstone b on b.feed_id = f.feed_id and b.unit_id = told.unit_id
 where sf.sequence = $1
