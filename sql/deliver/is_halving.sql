-- Whether feed $1's units are being told in halves. Reads only.
select halving is not null from rentsync.feed where feed_id = $1
