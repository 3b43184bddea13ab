-- Nothing is planned for feed $1 any more because of $2, until `feeds resume`. Locks the feed.
update rentsync.feed set paused_because = $2 where feed_id = $1
