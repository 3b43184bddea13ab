-- The units of feed $1 that were refused since sync $2 was settled. Reads only.
select unit_id
  from rentsync.ledger
 where feed_id = $1 and kept_back = 'refused'
   and kept_back_at >= (select settled_at from rentsync.sync where sequence = $2)
 order by unit_id
