-- How many holds over receiver $1 are open, and of how many removals, properties and units. As the transaction sees it. Reads
-- only: what is kept of each feed that has any.
select (select count(*) from rentsync.hold h where h.receiver = $1 and h.state = 'open') as holds,
       coalesce(sum(waiting.units), 0)::bigint as units, count(*) as properties, coalesce(sum(f.units), 0)::bigint as of_units
  from (
       select w.feed_id, sum(w.units) as units
         from rentsync.withheld w
        where w.receiver = $1 and w.kind in ('held', 'guarded') and w.feed_id is not null
        group by w.feed_id having sum(w.units) > 0
       ) as waiting
  join rentsync.feed f using (feed_id)
