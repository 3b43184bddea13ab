-- The holds over receiver $1 (null: over any), those that were settled as well if $2, the first $3 (null: all), with the number of
-- units that were decided about. Reads only.
with listed as materialized (
    select h as of_hold, h.* from rentsync.hold h
     where ($1::text is null or h.receiver = $1) and ($2 or h.state = 'open')
     order by h.receiver, h.hold_id
     limit $3
)
select h.hold_id as id, h.receiver, f.property_id, h.state,
       case h.state when 'open' then kept.count else h.units end as units, h.of_units, h.gone, h.opened_at, h.grown_at,
       h.settled_at, coalesce(kept.property_ids, '{}') as property_ids, coalesce(kept.unit_ids, '{}') as unit_ids
  from listed h
  left join rentsync.feed f using (feed_id)
 cross join lateral (
       select count(*) as count, array_agg(distinct f.property_id) as property_ids,
              array_agg(u.unit_id order by f.property_id, u.unit_id) as unit_ids
         from rentsync.units_of_hold(h.of_hold) u
         join rentsync.feed f using (feed_id)
       ) as kept
 order by h.receiver, h.hold_id
