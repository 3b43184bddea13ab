-- The feeds of receiver $1 whose snapshot was rejected, or that held something else once more within the hour after their last
-- snapshot for that reason: an hour after that, at $2 (null: now), the next is due. Costs what there is of them (index
-- feed_mismatch). Locks those feeds.
update rentsync.feed
   set snapshot_due = coalesce(snapshot_due, 'repair'), mismatch_at = coalesce($2, clock_timestamp()), mismatch_again = false
 where receiver = $1 and mismatch_again and mismatch_at <= coalesce($2, clock_timestamp()) - interval '1 hour'
