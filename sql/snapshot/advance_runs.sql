-- Counts what the unfinished runs of receiver $1 have done, and finishes those that have no feed left, at $2 (null: now). A feed
-- is done when its snapshot is no longer due or open and nothing of it is left to be sealed again; a paused one is given up.
-- Locks those feeds and the runs. Says which runs are finished by now.
with done as (
    update rentsync.feed f
       set snapshot_run = null
     where f.receiver = $1 and f.snapshot_run is not null
       and (f.paused_because is not null
         or (f.snapshot_due is null
             and not exists (select from rentsync.sync_feed s where s.feed_id = f.feed_id and s.is_open)
             and not exists (select from rentsync.ledger l
                              where l.feed_id = f.feed_id and l.owed in ('retell', 'in_doubt', 'retry') and l.withheld is null)))
    returning f.feed_id
), of_run as (
    select r.run_id,
           (select count(*) from rentsync.feed f where f.snapshot_run = r.run_id) as open_before,
           (select count(*) from rentsync.feed f join done using (feed_id) where f.snapshot_run = r.run_id) as done_now,
           (select coalesce(sum(s.units), 0) from rentsync.sync s where s.run_id = r.run_id and s.state = 'delivered') as units,
           (select count(*) from rentsync.drift d where d.run_id = r.run_id) as drift,
           (select count(distinct sf.feed_id)
              from rentsync.sync s join rentsync.sync_feed sf using (sequence)
             where s.run_id = r.run_id and s.sync_type = 'snapshot' and s.state in ('rejected', 'exhausted')) as failures
      from rentsync.snapshot_run r
     where r.receiver = $1 and r.finished_at is null
)
update rentsync.snapshot_run r
   set feeds_done  = r.feeds - (of_run.open_before - of_run.done_now),
       units       = of_run.units,
       drift       = of_run.drift,
       failures    = of_run.failures,
       finished_at = case when of_run.open_before = of_run.done_now then coalesce($2, clock_timestamp()) end
  from of_run
 where r.run_id = of_run.run_id
returning r.run_id, r.finished_at is not null as is_finished, r.feeds, r.feeds_done, r.units, r.drift, r.failures, r.superseded_by
