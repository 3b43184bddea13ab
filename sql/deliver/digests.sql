-- What the syncs $1 said that the receiver holds of the feeds $2 afterwards, pairwise, as hex, where it can be compared: the sync
-- said it, and its answer left nothing refused, nor did a command mark anything since. Reads only.
select f.feed_id, encode(f.digest, 'hex')
  from unnest($1::bigint[], $2::bigint[]) as answered (sequence, feed_id)
  join rentsync.sync_feed f using (sequence, feed_id)
 where f.digest is not null
   and not exists (select from rentsync.ledger l
                    where l.feed_id = f.feed_id and (l.withheld is not null or l.owed is not null))
