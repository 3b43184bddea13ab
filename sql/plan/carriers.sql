-- Which present unit of a property carries a code: property $1, code $2, pairwise. Reads only.
--
-- A rent roll that is imported again gives old codes to new ids; the removal of the old id must not name the code.
select s.property_id::bigint, s.unit_code, min(s.unit_id)::bigint
  from (select distinct * from unnest($1::bigint[], $2::text[]) as asked (property_id, unit_code)) as asked
  join rentsync.source_unit() s on s.property_id = asked.property_id and s.unit_code = asked.unit_code
 group by 1, 2
