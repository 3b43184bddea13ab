-- Where the source has unit $1: of which property (null: of none), whether it has that property, whether that is active, and of
-- which group. No row: nowhere. Reads only.
select s.property_id::bigint as property_id, p.property_id is not null as property_exists,
       coalesce(p.is_active, false) as is_active, p.project_group_id::bigint as project_group_id
  from rentsync.source_unit() s
  left join rentsync.source_property() p on p.property_id = s.property_id
 where s.unit_id = $1
 limit 1
