-- The units of hold $1, open or rejected, the first $2. Reads only.
select hold_id as id, receiver, property_id, unit_id, unit_code, state, since
  from rentsync.held_unit
 where hold_id = $1
 order by property_id, unit_id
 limit $2
