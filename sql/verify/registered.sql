-- The fingerprint of the settings that receiver $1 was run with last. No row: it was never run here. Reads only.
select settings from rentsync.receiver where receiver = $1
