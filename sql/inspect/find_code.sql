-- Units that were sealed last under code $1, at most $2. Reads only: reads the ledger until it has found so many, since no index has
-- codes. An index would be written with every unit that is sealed first, for a question that a person asks now and then; whoever asks
-- is bounded in time.
select f.receiver, f.property_id, l.unit_id, l.unit_code
  from rentsync.ledger l
  join rentsync.feed f using (feed_id)
 where l.unit_code = $1
 limit $2
