-- What the source says of the properties $1. Texts of more than $2 bytes are not read: in front of them stands how long they are.
-- Reads only. By key, so that one row that can't be read is found by asking for fewer.
select p.property_id::bigint,
       case when greatest(octet_length(p.name::text), octet_length(p.address::text)) > $2
            then array[octet_length(p.name::text), octet_length(p.address::text)] end,
       case when octet_length(p.name::text) <= $2 then p.name::text end,
       case when octet_length(p.address::text) <= $2 then p.address::text end,
       p.project_group_id::bigint, p.is_active, p.is_lease_up
  from rentsync.source_property() p
 where p.property_id = any ($1)
