-- How run $1 stands. Reads only.
select run_id, finished_at is not null as is_finished, feeds, feeds_done, units, drift, failures, superseded_by from rentsync.snapshot_run where run_id = $1
