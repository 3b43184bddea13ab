-- Takes the right to plan for receiver $1 for relay $2, if nobody has it, or it has it already, or whoever took it five seconds
-- ago has no plan under way that locks the row. Gives the number that the plan has to find again, and notes
-- whose session it is (plan/end_dead).
--
-- Committed before the plan's snapshot is taken. Never waits: a locked row is a plan, or a command that marks. Losing this in a
-- crash loses nothing, so its commit is not waited for. The session is named after the relay: a pooler that hands it on to somebody
-- else takes the name away.
with free as (
    select receiver
      from rentsync.planner
     where receiver = $1
       and (relay_id is null or relay_id = $2 or taken_at < clock_timestamp() - interval '5 seconds')
       for no key update skip locked
)
update rentsync.planner p
   set relay_id = $2, fence = p.fence + 1, taken_at = clock_timestamp(),
       pid = pg_backend_pid(), session_began = (select a.backend_start from pg_stat_get_activity(pg_backend_pid()) as a)
  from free
 where p.receiver = free.receiver
returning p.fence, set_config('synchronous_commit', 'off', true), set_config('application_name', 'rentsync-relay ' || $2, false)
