-- The feeds of receiver $1 that have or had unit $2, as far as that is still known. Reads only.
select f.feed_id from rentsync.feed f
 where f.receiver = $1
   and (exists (select from rentsync.ledger l where l.feed_id = f.feed_id and l.unit_id = $2)
     or exists (select from rentsync.sync_feed sf where sf.feed_id = f.feed_id and ($2 = any (sf.units) or $2 = any (sf.gone))))
 order by f.feed_id
