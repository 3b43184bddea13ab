-- What the feeds $1 withhold. Reads only.
select f.property_id, l.unit_id, l.withheld
  from rentsync.ledger l join rentsync.feed f using (feed_id)
 where l.feed_id = any ($1) and l.withheld is not null
 order by f.property_id, l.unit_id
