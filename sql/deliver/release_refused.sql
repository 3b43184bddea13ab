-- The units of feed $1 that were refused since sync $2 was settled are owed again. Locks them.
update rentsync.ledger
   set kept_back = null, kept_back_because = null, kept_back_hash = null, kept_back_at = null, owed = 'retry'
 where feed_id = $1 and kept_back = 'refused'
   and kept_back_at >= (select settled_at from rentsync.sync where sequence = $2)
