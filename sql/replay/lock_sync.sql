-- The sync with ID $1: what it is and how it stands. Locks it.
select sequence, receiver, sync_type, state from rentsync.sync where sync_id = $1 for update
