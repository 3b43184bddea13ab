-- Which units carry a code now: in the source under property $2 as code $4, or at the receiver of feed $1 as code $3, all
-- pairwise. Reads only.
--
-- A rent roll that is imported again gives old codes to new ids; the removal of the old id must not name the code, lest
-- a receiver that goes by codes drop the living. The receiver has what was sealed last: where a request's limits keep a new code
-- back, the old one. While that is in doubt or was refused it may have an earlier one, or what was removed.
with asked as (
    select distinct * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])
           as asked (feed_id, property_id, unit_code, source_code)
)
select asked.feed_id, asked.unit_code, s.unit_id::bigint
  from asked
  join rentsync.source_unit() s on s.property_id = asked.property_id and s.unit_code = asked.source_code
 union
select asked.feed_id, asked.unit_code, l.unit_id
  from asked
  join rentsync.ledger l on l.feed_id = asked.feed_id and l.unit_code = asked.unit_code and l.hash is not null
 union
select asked.feed_id, asked.unit_code, l.unit_id
  from asked
  join rentsync.ledger l on l.feed_id = asked.feed_id and asked.unit_code = any (l.codes_before || l.unit_code)
                        and (l.owed is not null or l.withheld = 'refused')
 order by 1, 2, 3
