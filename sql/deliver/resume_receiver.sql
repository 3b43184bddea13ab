-- Resumes receiver $1, with one request at once if $3; more come as they are acknowledged. Whoever ends a pause ends the wait
-- that the receiver asked for before it: it answers again. A person ($2) also ends a pause by command, and a wait without one. Nobody resumes one that waits until this database is
-- accepted. Locks its row. Says whether it was paused.
with before as (
    select receiver, paused_at is not null as was_paused from rentsync.receiver where receiver = $1 for no key update
)
update rentsync.receiver r
   set paused_at = null, paused_because = null, probe_at = null, probes = 0, failures = 0,
       concurrency = case when before.was_paused and $3 then 1 else r.concurrency end,
       wait_until    = case when not ($2 or before.was_paused) then r.wait_until end,
       waits         = case when $2 or before.was_paused then 0 else r.waits end,
       waiting_since = case when not ($2 or before.was_paused) then r.waiting_since end
  from before
 where r.receiver = before.receiver and ($2 or r.probe_at is distinct from 'infinity')
   and not exists (select from rentsync.source_identity l where l.receiver = r.receiver and l.waits_since is not null)
returning before.was_paused
