-- Resumes receiver $1, with one request at once if $3; more come as they are taken. A person ($2) also ends a pause by
-- command and a wait that the receiver asked for; an answer does not. Nobody resumes one that waits until this database is
-- accepted. Locks its row. Says whether it was paused.
with before as (
    select receiver, paused_at is not null as was_paused from rentsync.receiver where receiver = $1 for no key update
)
update rentsync.receiver r
   set paused_at = null, paused_because = null, probe_at = null, probes = 0, failures = 0,
       concurrency = case when before.was_paused and $3 then 1 else r.concurrency end,
       wait_until = case when $2 then null else r.wait_until end
  from before
 where r.receiver = before.receiver and ($2 or r.probe_at is distinct from 'infinity')
   and not exists (select from rentsync.lineage l where l.receiver = r.receiver and l.waits_since is not null)
returning before.was_paused
