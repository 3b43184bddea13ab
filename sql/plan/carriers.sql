-- Which units carry a code now, as receiver $4 is sent them: in the source under property $2 as code $3, by a mapped code or by the
-- prefix $5 and the source's, or there, of feed $1; all three pairwise. Reads only.
--
-- A rent roll that is imported again gives old codes to new ids; the removal of the old id must not name the code, lest
-- a receiver that goes by codes drop the living. The receiver has what was sealed last: where a request's limits keep a new code
-- back, the old one. While that is in doubt or was refused it may have an earlier one, or what was removed.
--
-- Each property is read once, and its codes are hashed: a full join is never done by comparing each unit with each code, and its
-- condition (coalesce) lets the server make nothing else of it. What was imported is looked up a unit at a time.
with asked as materialized (
    select distinct * from unnest($1::bigint[], $2::bigint[], $3::text[]) as asked (feed_id, property_id, unit_code)
), fed as materialized (
    select distinct feed_id, property_id from asked
)
select asked.feed_id, asked.unit_code, here.unit_id
  from asked
  full join (
       select fed.feed_id, s.unit_id::bigint as unit_id, coalesce(s.imported_code, $5::text || s.unit_code) as unit_code
         from fed
        cross join lateral (
              select s.unit_id, s.unit_code,
                     (select m.unit_code from rentsync.unit_mapping m where m.receiver = $4 and m.unit_id = s.unit_id) as imported_code
                from rentsync.source_unit() s
               where s.property_id = fed.property_id
              offset 0
              ) as s
       ) as here on here.feed_id = asked.feed_id and here.unit_code = asked.unit_code
 where coalesce(here.feed_id = asked.feed_id, false)
 union
select asked.feed_id, asked.unit_code, there.unit_id
  from asked
  full join (
       select l.feed_id, l.unit_id, code.unit_code
         from fed
        cross join lateral (select * from rentsync.ledger l where l.feed_id = fed.feed_id offset 0) as l
        cross join lateral (
              select l.unit_code where l.hash is not null
               union all
              select unnest(l.codes_before || l.unit_code) where l.owed is not null or l.withheld = 'refused'
              ) as code (unit_code)
       ) as there on there.feed_id = asked.feed_id and there.unit_code = asked.unit_code
 where coalesce(there.feed_id = asked.feed_id, false)
 order by 1, 2, 3
