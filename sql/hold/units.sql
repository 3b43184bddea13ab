-- The units of open holds over receiver $1 (null: over any), and of rejected ones if $2, the first $3 (null: all). Reads only.
select hold_id as id, receiver, property_id, unit_id, unit_code, state, since
  from rentsync.held_unit
 where ($1::text is null or receiver = $1) and ($2 or state = 'open')
 order by receiver, hold_id, property_id, unit_id
 limit $3
