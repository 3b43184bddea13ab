-- How many units of receiver $1 can't be sealed as they are, and of how many properties. As the transaction sees it. Reads only, what
-- is kept of each feed that has any.
select coalesce(sum(units), 0)::bigint, count(*)
  from (
       select sum(w.units) as units
         from rentsync.withheld w
        where w.receiver = $1 and w.kind = 'invalid' and w.feed_id is not null
        group by w.feed_id having sum(w.units) > 0
       ) as feed
