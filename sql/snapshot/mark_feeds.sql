-- The feeds of run $1 are due a snapshot: of its receiver every one, or that of its property, unless it is paused or has
-- nothing to send any more. Where the receiver is known to hold something else, that stays the reason: of a property that left, only such
-- a snapshot says anything. A run whose feeds it takes over before they are done is superseded. Locks the feeds and the runs.
-- A notice in the outbox, which touches no unit, has them planned at once. Says how many they are.
with run as (
    select * from rentsync.snapshot_run where run_id = $1
), superseded as (
    update rentsync.snapshot_run old
       set superseded_by = run.run_id
      from run
     where old.receiver = run.receiver and old.run_id <> run.run_id and old.finished_at is null
       and exists (select from rentsync.feed f
                    where f.snapshot_run = old.run_id and f.paused_because is null
                      and (run.property_id is null or f.property_id = run.property_id))
), marked as (
    update rentsync.feed f
       set snapshot_due = case when f.mismatch_again or f.snapshot_due = 'digest mismatch' then 'digest mismatch' else run.reason end,
           snapshot_run = run.run_id
      from run
     where f.receiver = run.receiver and (run.property_id is null or f.property_id = run.property_id)
       and f.paused_because is null
       and (f.enabled or exists (select from rentsync.ledger l where l.feed_id = f.feed_id))
    returning f.feed_id
), counted as (
    update rentsync.snapshot_run r set feeds = (select count(*) from marked) from run where r.run_id = run.run_id
), noticed as (
    insert into rentsync.outbox (property_id, op, unit_ids) select property_id, 'snapshot', '{}' from run
)
select count(*) from marked
