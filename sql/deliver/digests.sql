-- What the receiver should hold of the feeds $1, as hex, where it can be compared: nothing is refused, held or owed.
-- Reads only.
select f.feed_id, encode(f.digest, 'hex')
  from rentsync.feed f
 where f.feed_id = any ($1)
   and not exists (select from rentsync.ledger l
                    where l.feed_id = f.feed_id and (l.kept_back is not null or l.owed is not null))
