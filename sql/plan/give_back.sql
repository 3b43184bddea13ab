-- Gives back the right to plan for receiver $1 that relay $2 has under the number $3: at the end of a plan, in its transaction;
-- after a failure, in one of its own. $4: the plan came to its end. $5: it wrote something that a crash must not forget.
update rentsync.planner
   set relay_id = null, taken_at = null, planned_at = case when $4 then clock_timestamp() else planned_at end
 where receiver = $1 and relay_id = $2 and fence = $3
returning set_config('synchronous_commit', case when $5 then 'on' else 'off' end, true)
