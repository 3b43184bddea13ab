-- The units $2 of the feeds $1 (pairwise) are owed again because of $3; what is owed already keeps its reason, what is
-- withheld stays so and is sent when it is not any more. Locks them.
update rentsync.ledger l
   set owed = $3
  from unnest($1::bigint[], $2::bigint[]) as asked (feed_id, unit_id)
 where l.feed_id = asked.feed_id and l.unit_id = asked.unit_id and l.owed is null
