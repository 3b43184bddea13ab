-- Begins the scheduled run of receiver $1 for the night $2, which was due at $3, at $4 (null: now): if that is after the
-- receiver was first run and after the last run of everything finished, and none was begun for that night. Of several relays
-- one succeeds. Locks nothing that exists.
insert into rentsync.snapshot_run (receiver, reason, scheduled_for, started_at)
select r.receiver, 'scheduled', $2, coalesce($4, clock_timestamp())
  from rentsync.receiver r
 where r.receiver = $1 and r.registered_at < $3
   and not exists (select from rentsync.snapshot_run run
                    where run.receiver = $1 and run.property_id is null and run.finished_at >= $3)
on conflict do nothing
returning run_id
