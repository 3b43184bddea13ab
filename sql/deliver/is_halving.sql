-- Whether feed $1's units are being told in halves, and whether any half was accepted yet. Reads only.
select halving is not null, halving_accepted from rentsync.feed where feed_id = $1
