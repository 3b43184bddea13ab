-- Seals syncs. One row an element; locks nothing that exists. The unique index on open syncs refuses a second one for
-- a feed, whatever the planner believed.
insert into rentsync.sync
    (sequence, sync_id, feed_id, receiver, sync_type, units, removed_units, body_bytes, body, oldest_change, sealed_at, due_at)
select sealed.sequence, sealed.sync_id, sealed.feed_id, $1, sealed.sync_type, sealed.units, sealed.removed_units,
       sealed.body_bytes, sealed.body, sealed.oldest_change, $2, $2
  from unnest($3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::integer[], $8::integer[], $9::integer[],
              $10::bytea[], $11::timestamptz[])
       as sealed (sequence, sync_id, feed_id, sync_type, units, removed_units, body_bytes, body, oldest_change)
