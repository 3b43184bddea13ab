-- How many units of receiver $1 can't be told as they are, and of how many properties. As the transaction sees it. Reads only.
select count(*), count(distinct l.feed_id)
  from rentsync.ledger l
  join rentsync.feed f using (feed_id)
 where f.receiver = $1 and l.kept_back = 'invalid'
