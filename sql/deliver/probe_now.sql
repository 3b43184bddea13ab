-- The paused receiver $1 is probed at once, at $2 (null: now): something changed that may be the repair. A pause by command
-- stays. Locks its row.
update rentsync.receiver set probe_at = coalesce($2, clock_timestamp()) where receiver = $1 and probe_at <> 'infinity'
