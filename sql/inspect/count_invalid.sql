-- How many units can't be told to receiver $1 (null: to any) as they are. Reads only.
select count(*)
  from rentsync.ledger l
  join rentsync.feed f using (feed_id)
 where l.withheld = 'invalid' and ($1::text is null or f.receiver = $1)
