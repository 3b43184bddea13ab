-- Something of the feeds $1 was acknowledged, and whether units were ($2, pairwise): they fail no more, and where their units are sent in
-- halves it is units that are bad. A property's fields alone say nothing of a search among its units. Locks those feeds. Says where
-- units are searched.
with accepted as (
    update rentsync.feed f
       set bisection_accepted = f.bisected_sync is not null, failures = 0, searched = 0
      from unnest($1::bigint[], $2::boolean[]) as acknowledged (feed_id, of_units)
     where f.feed_id = acknowledged.feed_id
       and (f.bisected_sync is not null and acknowledged.of_units
         or f.failures > 0 and (f.bisected_sync is null or acknowledged.of_units))
    returning f.feed_id, f.bisected_sync
)
select feed_id from accepted where bisected_sync is not null
