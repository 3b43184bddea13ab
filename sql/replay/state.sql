-- How sync $1 stands. Reads only.
select state from rentsync.sync where sync_id = $1
