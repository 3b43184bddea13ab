-- The units that the ledger has of feed $1 with ids beyond $2, in their order, at most $3. Reads only, by the ledger's key.
select unit_id, unit_code, removed, owed, withheld, withheld_because, sequence
  from rentsync.ledger
 where feed_id = $1 and unit_id > $2
 order by unit_id
 limit $3
