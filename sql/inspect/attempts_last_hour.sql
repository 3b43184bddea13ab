-- Tries that began within the last hour, to the minute, by receiver and outcome; those under way are none yet. Reads only, what is
-- kept of each minute.
select receiver, outcome, sum(tries)::bigint as tries
  from rentsync.attempt_count
 where began > statement_timestamp() - interval '1 hour'
 group by 1, 2
 order by 1, 2
