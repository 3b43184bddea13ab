-- Nothing of feed $1's property is acknowledged, though others are: it rests for $3 seconds from $2 (null: now). Locks the feed.
update rentsync.feed
   set failures = failures + 1, cooldown_because = 'failing',
       cooldown_until = coalesce($2, clock_timestamp()) + make_interval(secs => $3)
 where feed_id = $1
