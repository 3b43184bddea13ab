-- Feeds $2 rest because of $3 for $4 seconds from $1 (null: now). Locks the feeds.
update rentsync.feed f
   set cooldown_until   = coalesce($1, clock_timestamp()) + make_interval(secs => $4),
       cooldown_because = $3
 where f.feed_id = any ($2)
