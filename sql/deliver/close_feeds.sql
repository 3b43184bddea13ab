-- The feeds of the syncs $1, which are over, wait for them no more. Locks the rows of sync_feed.
update rentsync.sync_feed set is_open = false where sequence = any ($1) and is_open
