-- Whether unit $2 can't be told to receiver $1 as it is. Reads only.
select exists (select from rentsync.ledger l
                 join rentsync.feed f using (feed_id)
                where f.receiver = $1 and l.unit_id = $2 and l.withheld = 'invalid')
