-- Ends the session in which a relay that no longer lives has the right to plan for receiver $1: whoever was stopped or cut off
-- in the middle of a plan keeps the lock until the server notices, which takes longer than its heart takes to be missed. A relay
-- that is slow lives, and keeps its plan.
--
-- That session must be the very one that took the right, still under its relay's name and in a transaction that it began since: a
-- process's number alone may be another's by now, and a pooler hands sessions on. Whose sessions this
-- role may neither see nor end stay until their timeouts. The role is found by its name as it is: read as an identifier, a capital
-- letter or an @ in it would be another's or nobody's. Costs a look at one row unless a relay died. Waits for nobody.
select pg_terminate_backend(session.pid)
  from rentsync.planner p
 cross join lateral pg_stat_get_activity(p.pid) as session
 where p.receiver = $1
   and p.relay_id is not null and p.pid is not null
   and p.taken_at < clock_timestamp() - interval '5 seconds'
   and not exists (select from rentsync.live_relay live where live.relay_id = p.relay_id)
   and session.backend_start = p.session_began
   and session.application_name = 'rentsync-relay ' || p.relay_id
   and session.xact_start >= p.taken_at
   and session.usesysid = (select r.oid from pg_roles r where r.rolname = current_user)
