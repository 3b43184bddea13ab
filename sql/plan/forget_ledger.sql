-- Drops ledger rows (of feed $1 and unit $2, pairwise) of units that the source has not and that were never
-- sealed. Locks the rows.
delete from rentsync.ledger l
 using unnest($1::bigint[], $2::bigint[]) as gone (feed_id, unit_id)
 where l.feed_id = gone.feed_id and l.unit_id = gone.unit_id
