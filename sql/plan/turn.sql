-- Who has the right to plan for receiver $1: its number, the relay's name, for how many seconds, whether that relay lives; how
-- long ago a plan last came to its end; and the moment, $2 or now. Reads only.
select p.fence,
       coalesce(r.name, case when p.relay_id is not null then 'a relay that is gone' end) as holder,
       extract(epoch from clock_timestamp() - p.taken_at)::float8 as held_seconds,
       exists (select from rentsync.live_relay live where live.relay_id = p.relay_id) as holder_lives,
       p.planned_at,
       coalesce($2, clock_timestamp()) as now
  from rentsync.planner p
  left join rentsync.relay r using (relay_id)
 where p.receiver = $1
