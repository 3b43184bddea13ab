-- The right to seal one probe for the paused receiver $1, if one is due at $2 (null: now); the next is due $3 seconds
-- later. Locks the receiver's row, in the transaction that seals the probe, so that of several relays one probes.
update rentsync.receiver
   set probe_at = coalesce($2, clock_timestamp()) + make_interval(secs => $3)
 where receiver = $1 and paused_at is not null and probe_at <= coalesce($2, clock_timestamp())
