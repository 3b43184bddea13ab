-- What is sealed for receiver $1 and not settled and is about the feeds $2 is given up, at $3 (null: now), and with a part of a
-- snapshot every part of it that is not settled. Not only what carries the unit: whose answer comes later would bring a digest over its
-- lead's name. A try that is under way may still be applied: what it carries is in doubt. Locks the syncs. Says which, and the feeds
-- they are about.
with about as materialized (
    select s.sequence, s.snapshot_id
      from rentsync.sync_feed sf
      join rentsync.sync s using (sequence)
     where sf.feed_id = any ($2) and s.state in ('open', 'waiting')
), cancelled as (
    update rentsync.sync s
       set state = 'cancelled', settled_at = coalesce($3, clock_timestamp()), due_at = null, leased_until = null
     where s.receiver = $1 and s.state in ('open', 'waiting')
       and (s.sequence in (select sequence from about)
         or s.snapshot_id in (select snapshot_id from about where snapshot_id is not null))
    returning s.sequence, s.sync_type
)
select sequence, feed_id, sync_type = 'snapshot' from cancelled join rentsync.sync_feed using (sequence)
