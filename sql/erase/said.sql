-- What was said at the tries ($1, $2), pairwise. Reads only, by the key.
select a.sequence, a.lease, concat_ws(E'\n', a.answer, a.error) as words
  from unnest($1::bigint[], $2::integer[]) as asked (sequence, lease)
  join rentsync.attempt a using (sequence, lease)
