-- Feeds $2 whose sync $3 was given up because of $4 rest for $5 seconds from $1 (null: now), and owe their property's
-- fields. Locks the feeds.
update rentsync.feed f
   set rest_until    = coalesce($1, clock_timestamp()) + make_interval(secs => given_up.rest),
       rest_because  = given_up.because,
       property_owed = case when f.property_sequence = given_up.sequence then 'in_doubt' else f.property_owed end
  from unnest($2::bigint[], $3::bigint[], $4::text[], $5::float8[]) as given_up (feed_id, sequence, because, rest)
 where f.feed_id = given_up.feed_id
