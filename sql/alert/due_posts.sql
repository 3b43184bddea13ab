-- Claims what is to be posted to the webhook at $1 (null: now), for $2 seconds and at most $3: of each kind and receiver the
-- newest alert that the webhook doesn't know, and how many of that kind it doesn't know. What is over, or what a person
-- acknowledged, is nobody's news any more; good news is acknowledged as it is written down. Locks the rows of alert_post, so that of
-- several relays one posts. The oldest first.
with moment (now) as (select coalesce($1, clock_timestamp())),
news as (
    select a.kind, a.receiver, a.property_id, a.message, a.times, a.last_at,
           count(*) over (partition by a.kind, a.receiver) as alerts,
           row_number() over (partition by a.kind, a.receiver order by a.last_at desc, a.alert_id desc) as place
      from moment
      join rentsync.alert a on a.last_at > moment.now - interval '1 day'
      left join rentsync.alert_post p on p.kind = a.kind and p.receiver = a.receiver
     where a.receiver is not null
       and (a.acked_at is null or a.acked_at = a.last_at)
       and (p.due_at is null or p.due_at <= moment.now)
       and (p.told_at is null or p.told_at < a.last_at)
), due as (
    select * from news where place = 1 order by last_at limit $3
), claimed as (
    insert into rentsync.alert_post as p (kind, receiver, due_at)
    select due.kind, due.receiver, moment.now + make_interval(secs => $2)
      from due, moment
     order by due.kind, due.receiver
        on conflict (kind, receiver) do update set due_at = excluded.due_at
     where p.due_at <= (select now from moment)
    returning p.kind, p.receiver
)
select kind, receiver, property_id, message, times, alerts, last_at
  from due
  join claimed using (kind, receiver)
 order by last_at
