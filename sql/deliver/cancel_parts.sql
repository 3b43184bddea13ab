-- The later parts of the snapshots $1 are not sent any more, from $2 (null: now) on. Locks them. Says which.
update rentsync.sync
   set state = 'cancelled', settled_at = coalesce($2, clock_timestamp())
 where snapshot_id = any ($1) and state = 'waiting'
returning sequence
