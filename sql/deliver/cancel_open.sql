-- Everything sealed for receiver $1 and not settled is given up, at $2 (null: now); what is under way only if $3, because its answer
-- may still say how the receiver is. A try that is under way may still be acknowledged: what it carries is in doubt, and sent anew. Locks
-- the syncs. Says which, the feeds they are about, whether they are snapshots, and whether they were tried.
with cancelled as (
    update rentsync.sync s
       set state = 'cancelled', settled_at = coalesce($2, clock_timestamp()), due_at = null, leased_until = null
     where s.receiver = $1 and s.state in ('open', 'waiting')
       and ($3 or s.leased_until is null or s.leased_until <= coalesce($2, clock_timestamp())
         or s.relay_id is not null and not exists (select from rentsync.live_relay live where live.relay_id = s.relay_id))
    returning s.sequence, s.sync_type, s.attempts
)
select sequence, feed_id, sync_type = 'snapshot', attempts > 0 from cancelled join rentsync.sync_feed using (sequence)
