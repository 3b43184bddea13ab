-- The newest run of receiver $1 over every property that is not finished. Reads only, by the index of those.
select run_id from rentsync.snapshot_run where receiver = $1 and finished_at is null and property_id is null order by run_id desc limit 1
