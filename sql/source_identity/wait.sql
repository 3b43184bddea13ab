-- Receiver $1 waits, from $2 (null: now), for a person to accept this database. Locks its row.
update rentsync.source_identity set waits_since = coalesce($2, clock_timestamp()) where receiver = $1
