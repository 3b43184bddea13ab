-- The holds over receiver $1 (null: over any), those that were settled as well if $2, with the number of units that
-- were decided about. Reads only.
select h.hold_id as id, h.receiver, f.property_id, h.state,
       case h.state when 'open' then count(u.unit_id) else h.units end as units, h.of_units, h.gone, h.opened_at, h.grown_at,
       h.settled_at, coalesce(array_agg(distinct u.property_id) filter (where u.property_id is not null), '{}') as property_ids,
       coalesce(array_agg(u.unit_id order by u.property_id, u.unit_id) filter (where u.unit_id is not null), '{}') as unit_ids
  from rentsync.hold h
  left join rentsync.feed f using (feed_id)
  left join rentsync.held_unit u using (hold_id)
 where ($1::text is null or h.receiver = $1) and ($2 or h.state = 'open')
 group by h.hold_id, f.property_id
 order by h.receiver, h.hold_id
