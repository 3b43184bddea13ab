-- Everything sealed for receiver $1 and not settled is given up, at $2 (null: now). A try that is under way may still be
-- taken: what it told is in doubt, and told anew. Locks the syncs. Says which, and the feeds they are about.
with cancelled as (
    update rentsync.sync
       set state = 'cancelled', settled_at = coalesce($2, clock_timestamp()), due_at = null, leased_until = null
     where receiver = $1 and state in ('open', 'waiting')
    returning sequence, sync_type
)
select sequence, feed_id, sync_type = 'snapshot' from cancelled join rentsync.sync_feed using (sequence)
