-- The newest runs of snapshots, at most $2, of receiver $1 (null: of all). Reads only, by the table's key.
select run_id as id, receiver, reason, property_id, scheduled_for, started_at, finished_at, feeds, feeds_done, units, drift, failures,
       superseded_by
  from rentsync.snapshot_run
 where $1::text is null or receiver = $1
 order by run_id desc
 limit $2
