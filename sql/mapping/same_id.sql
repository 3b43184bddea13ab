-- Ids by which receiver $1 would know several properties: an id of its own, or the source's where it has none. At most $2. Reads only.
select coalesce(f.external_id, f.property_id::text), array_agg(f.property_id order by f.property_id)
  from rentsync.feed f
 where f.receiver = $1
 group by 1
having count(*) > 1
 order by 1
 limit $2
