-- Drops the tombstones of removals that were acknowledged: feed $1, sync $2, pairwise. Locks the rows.
delete from rentsync.ledger l
 using unnest($1::bigint[], $2::bigint[]) as acknowledged (feed_id, sequence)
 where l.feed_id = acknowledged.feed_id and l.sequence = acknowledged.sequence
   and l.removed is not null and l.hash is null and l.owed is null and l.kept_back is null
