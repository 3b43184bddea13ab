-- The units that carry a code together with another of their property, as receiver $1 is sent them (null: any receiver), each
-- as the source has it now: the columns behind the unit's id are those of `Unit::read`. Those that are gone since are left out.
-- Units of one code follow one another. Reads only.
-- Texts of more than $2 bytes are not read; in front of the texts stands how long all of them are where one is. Asking for a
-- length reads no value, however long it is.
select f.receiver, f.property_id, d.unit_code, d.since, s.unit_id::bigint,
       case when greatest(
                 octet_length(s.unit_code::text), octet_length(s.building::text), octet_length(s.floorplan::text),
                 octet_length(s.type::text), octet_length(s.dwelling_type::text), octet_length(s.status_name::text),
                 octet_length(s.when_available::text), octet_length(s.exposure::text), octet_length(s.view::text),
                 octet_length(s.lead_first_name::text), octet_length(s.lead_last_name::text)) > $2
            then array[
                 octet_length(s.unit_code::text), octet_length(s.building::text), octet_length(s.floorplan::text),
                 octet_length(s.type::text), octet_length(s.dwelling_type::text), octet_length(s.status_name::text),
                 octet_length(s.when_available::text), octet_length(s.exposure::text), octet_length(s.view::text),
                 octet_length(s.lead_first_name::text), octet_length(s.lead_last_name::text)] end,
       case when octet_length(s.unit_code::text) <= $2 then s.unit_code::text end,
       case when octet_length(s.building::text) <= $2 then s.building::text end,
       s.floor::bigint,
       case when octet_length(s.floorplan::text) <= $2 then s.floorplan::text end,
       case when octet_length(s.type::text) <= $2 then s.type::text end,
       case when octet_length(s.dwelling_type::text) <= $2 then s.dwelling_type::text end,
       s.status_id::bigint,
       case when octet_length(s.status_name::text) <= $2 then s.status_name::text end,
       case when octet_length(s.when_available::text) <= $2 then s.when_available::text end,
       s.base_rent::float8, s.price_amortized::float8, s.size_sqft::bigint, s.bedrooms::float8, s.bathrooms::float8, s.dens::bigint,
       case when octet_length(s.exposure::text) <= $2 then s.exposure::text end,
       case when octet_length(s.view::text) <= $2 then s.view::text end,
       s.has_garage, s.pets_allowed::bigint, s.parking_stalls::bigint, s.storage_boxes::bigint,
       case when octet_length(s.lead_first_name::text) <= $2 then s.lead_first_name::text end,
       case when octet_length(s.lead_last_name::text) <= $2 then s.lead_last_name::text end,
       (select m.unit_code from rentsync.unit_mapping m where m.receiver = f.receiver and m.unit_id = s.unit_id)
  from rentsync.duplicate d
  join rentsync.feed f using (feed_id)
 cross join lateral unnest(d.unit_ids) as unit (unit_id)
  join rentsync.source_unit() s on s.unit_id = unit.unit_id and s.property_id = f.property_id
 where $1::text is null or f.receiver = $1
 order by f.receiver, f.property_id, d.unit_code, unit.unit_id
