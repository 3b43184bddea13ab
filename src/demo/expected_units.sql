-- What a receiver should hold, worked out from the source tables themselves and the contract, not from the relay: every
-- field of every unit by its flat name, and what of its property may stand beside them.
-- $1: the statuses that mean available.
select u.project_id::bigint as property_id, u.id::bigint as unit_id,
       jsonb_build_object(
           'unit_id', u.id, 'unit_code', u.unit_code, 'building', u.building, 'floor', u.floor,
           'floorplan', u.floorplan, 'type', u.type, 'dwelling_type', u.dwelling_type,
           'status_id', u.rentroll_status_id, 'status_name', u.rentroll_status,
           'is_available', coalesce(u.rentroll_status_id = any ($1), false),
           'when_available', u.when_available, 'base_rent', u.price, 'price_amortized', u.price_amortized,
           'size_sqft', u.size, 'bedrooms', u.bedrooms, 'bathrooms', u.bathrooms, 'dens', u.dens,
           'exposure', u.exposure, 'view', u.view, 'has_garage', u.has_garage, 'pets_allowed', u.pets,
           'parking_stalls', u.parking_stalls, 'storage_boxes', u.storage_boxes)
       || case when btrim(coalesce(u.lead_first_name, '')) <> '' or btrim(coalesce(u.lead_last_name, '')) <> ''
               then jsonb_build_object('lead_first_name', u.lead_first_name, 'lead_last_name', u.lead_last_name)
               else '{}'
          end as unit,
       p.name, p.full_address as address
  from project_rent_roll_units u
  join projects p on p.id = u.project_id
 where p.is_actived
