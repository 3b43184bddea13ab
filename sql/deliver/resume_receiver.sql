-- Resumes receiver $1. Locks its row. Says whether it was paused.
update rentsync.receiver
   set paused_at = null, paused_because = null, probe_at = null
 where receiver = $1 and paused_at is not null
