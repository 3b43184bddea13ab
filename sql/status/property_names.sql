-- What the source calls each property. Reads only; reads every property once.
select property_id::bigint, name::text from rentsync.source_property() where property_id is not null
