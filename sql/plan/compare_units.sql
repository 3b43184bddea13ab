-- Source and ledger side by side, for every unit that a plan has to look at: the touched ($1 feed, $2 unit), the owed
-- of the feeds $3 (at most $6 each: more wouldn't fit a request, and what isn't read stays owed; what is sent in halves
-- comes after the rest, removals that were put off come last), and everything on either side for the feeds $4
-- (properties $5; none of their units is among the touched). $7: with the content sealed last. In the order of feeds and units.
--
-- The casts cost nothing where the types are ours already, and let a site's own source function have narrower ones.
-- What is read whole is read by its property, the ledger beside it by its feed: as a full join, which is never done by looking up each
-- unit, and whose condition (coalesce) lets the server make nothing else of it. Any other unit is looked up in the source by its
-- id alone, so that one found under another property is known to have moved: the touched, the owed, and of what is read whole those that
-- the property has no more.
-- Every step goes by an index, whatever the server believes of the tables: joined as a whole, a source that was analysed
-- while it was empty is read from end to end for each batch. Two rows, so that a unit that is there twice is noticed.
-- Reads only.
-- Texts of more than $8 bytes are not read; in front of the texts stands how long all of them are where one is. Asking for a
-- length reads no value, however long it is. After the texts stands what receiver $9 calls the unit, asked where it has names of its own.
with whole as (
    select whole.feed_id, whole.property_id from unnest($4::bigint[], $5::bigint[]) as whole (feed_id, property_id)
), key as (
    select touched.feed_id, touched.unit_id from unnest($1::bigint[], $2::bigint[]) as touched (feed_id, unit_id)
     union
    select owed.feed_id, owed.unit_id
      from unnest($3::bigint[]) as feed (feed_id)
     cross join lateral (
           select l.feed_id, l.unit_id from rentsync.ledger l
            where l.feed_id = feed.feed_id and l.owed is not null and l.withheld is null
            order by l.owed = 'removal', l.bisection is not null, l.bisection desc, l.unit_id
            limit $6
           ) as owed
     union
    select whole.feed_id, left_it.unit_id
      from whole
     cross join lateral (
           select l.unit_id from rentsync.ledger l where l.feed_id = whole.feed_id
           except
           select s.unit_id::bigint from rentsync.source_unit() s where s.property_id = whole.property_id
           ) as left_it
), pair as (
    select key.feed_id as of_feed_id, key.unit_id,
           s.property_id, s.unit_code, s.building, s.floor, s.floorplan, s.type, s.dwelling_type, s.status_id, s.status_name, s.when_available,
           s.base_rent, s.price_amortized, s.size_sqft, s.bedrooms, s.bathrooms, s.dens, s.exposure, s.view, s.has_garage,
           s.pets_allowed, s.parking_stalls, s.storage_boxes, s.lead_first_name, s.lead_last_name,
           l.unit_id as ledger_unit_id, l.unit_code as ledger_code, l.hash, l.removed, l.sequence, l.owed, l.bisection, l.withheld,
           l.withheld_because, l.refused_hash, l.content
      from key
      left join lateral (
           select * from rentsync.source_unit() s where s.unit_id = key.unit_id limit 2
           ) as s on true
      left join lateral (
           select * from rentsync.ledger l where l.feed_id = key.feed_id and l.unit_id = key.unit_id limit 1
           ) as l on true
     union all
    select whole.feed_id, s.unit_id::bigint,
           s.property_id, s.unit_code, s.building, s.floor, s.floorplan, s.type, s.dwelling_type, s.status_id, s.status_name, s.when_available,
           s.base_rent, s.price_amortized, s.size_sqft, s.bedrooms, s.bathrooms, s.dens, s.exposure, s.view, s.has_garage,
           s.pets_allowed, s.parking_stalls, s.storage_boxes, s.lead_first_name, s.lead_last_name,
           s.ledger_unit_id, s.ledger_code, s.hash, s.removed, s.sequence, s.owed, s.bisection, s.withheld,
           s.withheld_because, s.refused_hash, s.content
      from whole
     cross join lateral (
           select here.*, l.unit_id as ledger_unit_id, l.unit_code as ledger_code, l.hash, l.removed, l.sequence, l.owed, l.bisection,
                  l.withheld, l.withheld_because, l.refused_hash, l.content
             from (select *, true as is_here from rentsync.source_unit() s where s.property_id = whole.property_id) as here
             full join (select * from rentsync.ledger l where l.feed_id = whole.feed_id) as l on l.unit_id = here.unit_id::bigint
           ) as s
     where coalesce(s.is_here, false)
)
select s.of_feed_id, s.unit_id, s.property_id::bigint,
       case when greatest(
                 octet_length(s.unit_code::text), octet_length(s.building::text), octet_length(s.floorplan::text),
                 octet_length(s.type::text), octet_length(s.dwelling_type::text), octet_length(s.status_name::text),
                 octet_length(s.when_available::text), octet_length(s.exposure::text), octet_length(s.view::text),
                 octet_length(s.lead_first_name::text), octet_length(s.lead_last_name::text)) > $8
            then array[
                 octet_length(s.unit_code::text), octet_length(s.building::text), octet_length(s.floorplan::text),
                 octet_length(s.type::text), octet_length(s.dwelling_type::text), octet_length(s.status_name::text),
                 octet_length(s.when_available::text), octet_length(s.exposure::text), octet_length(s.view::text),
                 octet_length(s.lead_first_name::text), octet_length(s.lead_last_name::text)] end,
       case when octet_length(s.unit_code::text) <= $8 then s.unit_code::text end,
       case when octet_length(s.building::text) <= $8 then s.building::text end,
       s.floor::bigint,
       case when octet_length(s.floorplan::text) <= $8 then s.floorplan::text end,
       case when octet_length(s.type::text) <= $8 then s.type::text end,
       case when octet_length(s.dwelling_type::text) <= $8 then s.dwelling_type::text end,
       s.status_id::bigint,
       case when octet_length(s.status_name::text) <= $8 then s.status_name::text end,
       case when octet_length(s.when_available::text) <= $8 then s.when_available::text end,
       s.base_rent::float8, s.price_amortized::float8, s.size_sqft::bigint, s.bedrooms::float8, s.bathrooms::float8, s.dens::bigint,
       case when octet_length(s.exposure::text) <= $8 then s.exposure::text end,
       case when octet_length(s.view::text) <= $8 then s.view::text end,
       s.has_garage, s.pets_allowed::bigint, s.parking_stalls::bigint, s.storage_boxes::bigint,
       case when octet_length(s.lead_first_name::text) <= $8 then s.lead_first_name::text end,
       case when octet_length(s.lead_last_name::text) <= $8 then s.lead_last_name::text end,
       case when (select exists (select from rentsync.unit_mapping m where m.receiver = $9))
            then (select m.unit_code from rentsync.unit_mapping m where m.receiver = $9 and m.unit_id = s.unit_id) end,
       s.ledger_unit_id is not null, s.ledger_code, s.hash, s.removed, s.sequence, s.owed, s.bisection,
       s.withheld, s.withheld_because, s.refused_hash, case when $7 then s.content end
  from pair s
 order by s.of_feed_id, s.unit_id
