-- The receiver holds something else of feed $1 than it should: its next sync is a snapshot, unless one was for the same
-- reason within the hour before $2 (null: now). Locks the feed.
update rentsync.feed
   set snapshot_due = case when mismatch_at is null or mismatch_at <= coalesce($2, clock_timestamp()) - interval '1 hour'
                           then 'digest mismatch' else snapshot_due end,
       mismatch_at  = case when mismatch_at is null or mismatch_at <= coalesce($2, clock_timestamp()) - interval '1 hour'
                           then coalesce($2, clock_timestamp()) else mismatch_at end
 where feed_id = $1
