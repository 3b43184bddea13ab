-- Every unit of the source with the code that it is sent to receiver $1 by: a mapped one, or the prefix $2 and the source's; and the mapped
-- one by itself. Codes of more than $3 bytes are not read. Reads only, all of the source.
select s.property_id::bigint, s.unit_id::bigint, m.unit_code, case when octet_length(s.unit_code::text) <= $3 then $2::text || s.unit_code::text end
  from rentsync.source_unit() s
  left join rentsync.unit_mapping m on m.receiver = $1 and m.unit_id = s.unit_id
 where s.property_id is not null
 order by s.property_id, s.unit_id
