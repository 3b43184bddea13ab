-- The units that sync $2 told feed $1. Reads only.
select unit_id from rentsync.ledger where feed_id = $1 and sequence = $2 order by unit_id
