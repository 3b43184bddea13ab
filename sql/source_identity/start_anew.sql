-- Nothing that is noted of receiver $1's feeds says any more what it holds: each compares everything and is sent as a
-- snapshot, the property's own fields with it; any unit may be gone. Locks the feeds and the receiver's counts.
with forgotten as (
    update rentsync.receiver_count set ahead_seen = null, doubted_at = null where receiver = $1
)
update rentsync.feed
   set cursor = null, snapshot_due = 'source_identity', property_owed = 'in_doubt', cooldown_until = null, cooldown_because = null,
       stale_at = null
 where receiver = $1
