-- Which feeds the sealed syncs are about ($1 sync, $2 feed, $3: it is open). Locks nothing that exists. The unique index
-- on open syncs refuses a second one for a feed, whatever the planner believed.
insert into rentsync.sync_feed (sequence, feed_id, is_open)
select * from unnest($1::bigint[], $2::bigint[], $3::boolean[])
