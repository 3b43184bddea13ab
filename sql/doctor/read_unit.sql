-- One unit, with every column as a plan reads it: an error says what doesn't fit. Reads one row, or what the function needs for
-- it.
select s.unit_id::bigint, s.property_id::bigint,
       s.unit_code::text, s.building::text, s.floor::bigint, s.floorplan::text, s.type::text, s.dwelling_type::text,
       s.status_id::bigint, s.status_name::text, s.when_available::text, s.base_rent::float8, s.price_amortized::float8,
       s.size_sqft::bigint, s.bedrooms::float8, s.bathrooms::float8, s.dens::bigint, s.exposure::text, s.view::text,
       s.has_garage, s.pets_allowed::bigint, s.parking_stalls::bigint, s.storage_boxes::bigint,
       s.lead_first_name::text, s.lead_last_name::text
  from rentsync.source_unit() s
 limit 1
