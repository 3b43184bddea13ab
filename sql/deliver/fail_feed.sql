-- All of feed $1 is answered as a property is that the receiver does not know. Locks the feed.
update rentsync.feed set failing = true where feed_id = $1
