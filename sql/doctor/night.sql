-- How receiver $1 stands with the night $2, which was due at $3: whether its run is missed, by the same rule as
-- sql/snapshot/begin_scheduled.sql, and for more than a night; the last run of everything, and the one under way. Reads only.
-- No row: it was never run against this database.
select r.registered_at < $3 and coalesce(last.finished_at, '-infinity') < $3
           and not exists (select from rentsync.snapshot_run run where run.receiver = $1 and run.scheduled_for = $2) as missed,
       coalesce(last.finished_at, r.registered_at) < $3 - interval '1 day' as missed_before,
       last.finished_at, last.drift, last.failures,
       running.started_at, running.feeds_done, running.feeds
  from rentsync.receiver r
  left join lateral (
       select run.finished_at, run.drift, run.failures
         from rentsync.snapshot_run run
        where run.receiver = $1 and run.property_id is null and run.finished_at is not null
        order by run.finished_at desc
        limit 1
       ) as last on true
  left join lateral (
       select run.started_at, run.feeds_done, run.feeds
         from rentsync.snapshot_run run
        where run.receiver = $1 and run.property_id is null and run.finished_at is null
        order by run.run_id desc
        limit 1
       ) as running on true
 where r.receiver = $1
