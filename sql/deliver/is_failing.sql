-- Whether all of feed $1 is known to be answered as a property is that the receiver does not know. Reads only.
select failing from rentsync.feed where feed_id = $1
