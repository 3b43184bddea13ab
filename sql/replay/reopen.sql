-- Sync $1 is open again and due at $2 (null: now), as if never tried; its feeds wait for it. A try of long ago that is still
-- under way must not count against it: its lease is made an old one. Locks the sync and its rows of sync_feed.
with opened as (
    update rentsync.sync s
       set state = 'open', due_at = moment, redelivered_at = moment, settled_at = null, leased_until = null,
           attempts = 0, lost = 0, probe = false,
           lease = s.lease + (exists (select from rentsync.attempt a
                                       where a.sequence = s.sequence and a.finished_at is null))::integer
      from (select coalesce($2, clock_timestamp()) as moment) as at
     where s.sequence = $1
    returning s.sequence
)
update rentsync.sync_feed sf set is_open = true from opened where sf.sequence = opened.sequence
returning sf.feed_id
