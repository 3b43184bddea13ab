-- The feeds that enroll would give the properties of receiver $1 that have none ($2: its property groups, $3: of these properties
-- only, each null for all), as choose_feeds has those that are there: the next $5 after number $4. They have numbers above $6, which
-- no feed has. Reads only.
select new.feed_id, new.property_id::bigint, null::text, true, null::bytea, null::text, decode(repeat('00', 32), 'hex'), 0::bigint, 0::bigint, 0::bigint,
       null::text, null::bigint, null::bigint, false, 0::bigint,
       true,
       null::bigint[],
       null::timestamptz,
       (select count(*) from rentsync.source_unit() s where s.property_id = new.property_id)
  from (
       select $6 + row_number() over (order by p.property_id) as feed_id, p.property_id
         from rentsync.source_property() p
        where p.is_active
          and ($2::bigint[] is null or p.project_group_id = any ($2))
          and ($3::bigint[] is null or p.property_id = any ($3))
          and not exists (select from rentsync.feed f where f.receiver = $1 and f.property_id = p.property_id)
       ) as new
 where new.feed_id > $4
 order by new.feed_id
 limit $5
