-- Mappings of receiver $1 for units that the source has no more. Each is looked up by itself. Reads only.
select m.unit_id, m.unit_code
  from rentsync.unit_mapping m
 where m.receiver = $1
   and not exists (select from rentsync.source_unit() s where s.unit_id = m.unit_id)
 order by m.unit_id
