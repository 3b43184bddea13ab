-- A snapshot of the feeds $1 was rejected, and all that it carried is owed as deltas. These say nothing of what the receiver has and the
-- ledger doesn't know, so an hour after $2 (null: now) another is due (plan/snapshot_again). Locks the feeds.
update rentsync.feed
   set mismatch_again = true, mismatch_at = coalesce($2, clock_timestamp())
 where feed_id = any ($1)
