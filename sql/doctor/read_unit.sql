-- One unit, with every column as a plan reads it, of texts only how long they are: an error says what doesn't fit. Reads one row,
-- or what the function needs for it.
select s.unit_id::bigint, s.property_id::bigint,
       octet_length(s.unit_code::text), octet_length(s.building::text), s.floor::bigint, octet_length(s.floorplan::text), octet_length(s.type::text), octet_length(s.dwelling_type::text),
       s.status_id::bigint, octet_length(s.status_name::text), octet_length(s.when_available::text), s.base_rent::float8, s.price_amortized::float8,
       s.size_sqft::bigint, s.bedrooms::float8, s.bathrooms::float8, s.dens::bigint, octet_length(s.exposure::text), octet_length(s.view::text),
       s.has_garage, s.pets_allowed::bigint, s.parking_stalls::bigint, s.storage_boxes::bigint,
       octet_length(s.lead_first_name::text), octet_length(s.lead_last_name::text)
  from rentsync.source_unit() s
 limit 1
