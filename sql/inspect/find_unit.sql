-- The properties that have or had a unit $1 for a receiver, at most $2. Reads only: one look by key at each feed's ledger.
select f.receiver, f.property_id, l.unit_id, l.unit_code
  from rentsync.feed f
 cross join lateral (
       select l.unit_id, l.unit_code from rentsync.ledger l where l.feed_id = f.feed_id and l.unit_id = $1 offset 0
       ) as l
 order by f.receiver, f.property_id
 limit $2
