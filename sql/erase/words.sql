-- What receiver $1 said, and what is said of it, at the tries behind ($2, $3), the first 500: a receiver may name a unit's lead in its
-- answer to another request. Reads only, along the key; all of it is no more than retention keeps.
select a.sequence, a.lease, concat_ws(E'\n', a.answer, a.error) as words
  from rentsync.attempt a
  join rentsync.sync s using (sequence)
 where s.receiver = $1 and (a.sequence, a.lease) > ($2, $3) and (a.answer is not null or a.error is not null)
 order by a.sequence, a.lease
 limit 500
