-- The receiver holds something else of feed $1 than it should: its next sync is a snapshot. Where one was made due for the same
-- reason within the hour before $2 (null: now), that is noted for later (plan/snapshot_again): its deltas go on meanwhile. Locks
-- the feed.
with seen as (
    select feed_id, mismatch_at > coalesce($2, clock_timestamp()) - interval '1 hour' is true as within_the_hour
      from rentsync.feed
     where feed_id = $1
       for no key update
)
update rentsync.feed f
   set snapshot_due   = case when seen.within_the_hour then f.snapshot_due else 'digest mismatch' end,
       mismatch_at    = case when seen.within_the_hour then f.mismatch_at else coalesce($2, clock_timestamp()) end,
       mismatch_again = seen.within_the_hour
  from seen
 where f.feed_id = seen.feed_id
