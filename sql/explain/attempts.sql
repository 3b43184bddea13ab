-- Every try of the syncs $1. Reads only.
select a.sequence, s.sync_id, a.lease as attempt, a.relay, a.started_at, a.finished_at, a.outcome, a.status, a.error, a.answer
  from rentsync.attempt a
  join rentsync.sync s using (sequence)
 where a.sequence = any ($1)
 order by a.started_at, a.sequence, a.lease
