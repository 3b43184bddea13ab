-- Tries that began within the last hour, by receiver and outcome; those under way are none yet. Reads only.
select s.receiver, a.outcome, count(*)::float8
  from rentsync.attempt a
  join rentsync.sync s using (sequence)
 where a.started_at > statement_timestamp() - interval '1 hour' and a.outcome is not null
 group by 1, 2
 order by 1, 2
