-- The properties that sync $1 is about, and its upserts of each. Reads only.
select f.property_id, sf.units
  from rentsync.sync_feed sf
  join rentsync.feed f using (feed_id)
 where sf.sequence = $1
 order by f.property_id
