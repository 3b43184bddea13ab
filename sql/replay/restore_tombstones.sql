-- The removals of the units $2 of the feeds $1, sent under the codes $3 in the syncs $4 (pairwise; null: not known any
-- more), are owed again because of $5. Inserts only.
insert into rentsync.ledger (feed_id, unit_id, unit_code, removed, sequence, owed)
select feed_id, unit_id, unit_code, 'deleted', coalesce(sequence, 0), $5
  from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[]) as gone (feed_id, unit_id, unit_code, sequence)
on conflict do nothing
