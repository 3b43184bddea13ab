-- Every try of sync $1. Reads only.
select lease as attempt, relay, started_at, extract(epoch from finished_at - started_at)::float8 as seconds,
       coalesce(outcome, 'under way, or its relay died') as outcome, status, error, answer
  from rentsync.attempt
 where sequence = $1
 order by lease
