-- Forgets removals that were acknowledged before $1, at most $2. Passes over what is locked.
delete from rentsync.purged_tombstone
 where (feed_id, unit_id) in (
       select feed_id, unit_id from rentsync.purged_tombstone where purged_at < $1 limit $2 for update skip locked)
