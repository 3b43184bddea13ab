-- The feeds $2, which failed, rest while others find out whether the paused receiver $1 answers again, until the next probe. Locks the
-- feeds; the receiver's row is locked already.
update rentsync.feed f
   set cooldown_until = r.probe_at, cooldown_because = 'exhausted'
  from rentsync.receiver r
 where r.receiver = $1 and r.probe_at <> 'infinity' and f.feed_id = any ($2)
