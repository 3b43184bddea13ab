-- Of the properties $2 those of which receiver $1 holds units, or may hold, under the id that they are sent by. Reads only.
select f.property_id
  from rentsync.feed f
 where f.receiver = $1 and f.property_id = any ($2)
   and exists (select from rentsync.ledger l where l.feed_id = f.feed_id and l.sequence is not null)
