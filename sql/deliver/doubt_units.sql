-- What given up syncs carried (feed $1, sync $2, pairwise) may or may not have been applied: owed, whatever the source says
-- by then; a removal that a person approved stays so. Locks the rows; their feed has no plan under way, because the sync was still open.
update rentsync.ledger l
   set owed = 'in_doubt'
  from unnest($1::bigint[], $2::bigint[]) as given_up (feed_id, sequence)
 where l.feed_id = given_up.feed_id and l.sequence = given_up.sequence and l.owed is distinct from 'approved'
