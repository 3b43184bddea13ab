-- Empties what was said at the tries ($1, $2), pairwise, where anything was. Locks these rows.
update rentsync.attempt a set answer = null, error = null
  from unnest($1::bigint[], $2::integer[]) as named (sequence, lease)
 where a.sequence = named.sequence and a.lease = named.lease and (a.answer is not null or a.error is not null)
