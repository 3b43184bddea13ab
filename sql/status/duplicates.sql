-- The units that carry a code together with another of their property, as receiver $1 is told them (null: any receiver), each
-- as the source has it now: the columns behind the unit's id are those of `Unit::read`. Those that are gone since are left out.
-- Units of one code follow one another. Reads only.
select f.receiver, f.property_id, d.unit_code, d.since, s.unit_id::bigint,
       s.unit_code::text, s.building::text, s.floor::bigint, s.floorplan::text, s.type::text, s.dwelling_type::text,
       s.status_id::bigint, s.status_name::text, s.when_available::text, s.base_rent::float8, s.price_amortized::float8,
       s.size_sqft::bigint, s.bedrooms::float8, s.bathrooms::float8, s.dens::bigint, s.exposure::text, s.view::text,
       s.has_garage, s.pets_allowed::bigint, s.parking_stalls::bigint, s.storage_boxes::bigint,
       s.lead_first_name::text, s.lead_last_name::text
  from rentsync.duplicate d
  join rentsync.feed f using (feed_id)
 cross join lateral unnest(d.unit_ids) as unit (unit_id)
  join rentsync.source_unit() s on s.unit_id = unit.unit_id and s.property_id = f.property_id
 where $1::text is null or f.receiver = $1
 order by f.receiver, f.property_id, d.unit_code, unit.unit_id
