-- The properties that receiver $1 may be sent: those with a feed, and the active ones; with what it calls them. Reads only.
select s.property_id::bigint, f.external_id, s.name::text, s.address::text
  from rentsync.source_property() s
  left join rentsync.feed f on f.receiver = $1 and f.property_id = s.property_id
 where s.is_active or f.feed_id is not null
 order by s.property_id
