-- What the feeds $1 keep back. Reads only.
select f.property_id, l.unit_id, l.kept_back
  from rentsync.ledger l join rentsync.feed f using (feed_id)
 where l.feed_id = any ($1) and l.kept_back is not null
 order by f.property_id, l.unit_id
