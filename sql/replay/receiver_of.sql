-- Whose sync $1 is. Reads only.
select receiver from rentsync.sync where sync_id = $1
