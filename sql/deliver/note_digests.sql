-- What the receiver says that it holds after sync $1 of feed $2: $3, pairwise. Locks the rows of sync_feed.
update rentsync.sync_feed f
   set digest_said = said.digest
  from unnest($1::bigint[], $2::bigint[], $3::text[]) as said (sequence, feed_id, digest)
 where f.sequence = said.sequence and f.feed_id = said.feed_id
