-- The tries at which receiver $1 said something, or something was said of it: a receiver may name a unit's lead in its answer to
-- another request. Reads only, and only which they are: what was said is read by sql/erase/said.sql.
select a.sequence, a.lease
  from rentsync.attempt a
  join rentsync.sync s using (sequence)
 where s.receiver = $1 and (a.answer is not null or a.error is not null)
 order by a.sequence, a.lease
