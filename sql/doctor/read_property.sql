-- One property, with every column as a plan reads it, of texts only how long they are: an error says what doesn't fit. Reads one
-- row, or what the function needs for it.
select p.property_id::bigint, octet_length(p.name::text), octet_length(p.address::text), p.project_group_id::bigint, p.is_active, p.is_lease_up
  from rentsync.source_property() p
 limit 1
