-- For each unit $2, in their order: its property in the source, and the code that receiver $1 knows it by. Each unit is looked up by
-- itself. Reads only.
select s.property_id, m.unit_code
  from unnest($2::bigint[]) with ordinality as asked (unit_id, place)
  left join lateral (
       select s.property_id::bigint from rentsync.source_unit() s where s.unit_id = asked.unit_id limit 1
       ) as s on true
  left join rentsync.unit_mapping m on m.receiver = $1 and m.unit_id = asked.unit_id
 order by asked.place
