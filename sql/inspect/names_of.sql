-- What the source calls the properties $2: the name, where it is no longer than $1 bytes, and how long it is. Asking for a length reads
-- no value, however long it is. Reads only, by key where the source has one.
select property_id::bigint, case when octet_length(name::text) <= $1 then name::text end, octet_length(name::text)
  from rentsync.source_property()
 where property_id = any ($2)
