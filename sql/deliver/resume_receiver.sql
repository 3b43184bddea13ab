-- Resumes receiver $1. A person ($2) also ends a pause by command and a wait that the receiver asked for; a probe that got
-- through does not. Locks its row.
update rentsync.receiver
   set paused_at = null, paused_because = null, probe_at = null, wait_until = case when $2 then null else wait_until end
 where receiver = $1 and ($2 or probe_at <> 'infinity')
