-- The feeds of receiver $1 with an open hold beyond feed $2, the next $3, in order; -1 stands for the hold over the whole. Reads only.
select coalesce(h.feed_id, -1)
  from rentsync.hold h
 where h.receiver = $1 and h.state = 'open' and coalesce(h.feed_id, -1) > $2
 order by coalesce(h.feed_id, -1)
 limit $3
