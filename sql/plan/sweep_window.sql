-- How far a sweep over the feeds of receiver $1 looks in one statement, beyond feed $2: the last of the next $3, if there are so
-- many. So a statement of a sweep costs the same however many feeds there are. Reads one index, locks nothing.
select f.feed_id
  from rentsync.feed f
 where f.receiver = $1 and f.feed_id > $2
 order by f.feed_id
offset $3::bigint - 1
 limit 1
