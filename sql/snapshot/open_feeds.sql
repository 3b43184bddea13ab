-- The feeds that run $1 still waits for. Reads only.
select feed_id from rentsync.feed where snapshot_run = $1
