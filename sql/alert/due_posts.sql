-- Claims what is to be posted to the webhook, at $1 (null: now): of each kind and receiver the newest alert, unless one of
-- these was posted within the hour, or there is nothing newer than what was. Locks the rows of alert_post, so that of
-- several relays one posts.
with newest as (
    select distinct on (kind, receiver) kind, receiver, property_id, message, times, last_at
      from rentsync.alert
     where receiver is not null and last_at > coalesce($1, clock_timestamp()) - interval '1 day'
     order by kind, receiver, last_at desc
)
insert into rentsync.alert_post as p (kind, receiver, posted_at)
select kind, receiver, coalesce($1, clock_timestamp())
  from newest
 where not exists (select from rentsync.alert_post posted
                    where posted.kind = newest.kind and posted.receiver = newest.receiver
                      and (posted.posted_at > coalesce($1, clock_timestamp()) - interval '1 hour'
                        or posted.posted_at >= newest.last_at))
on conflict (kind, receiver) do update set posted_at = excluded.posted_at
 where p.posted_at <= coalesce($1, clock_timestamp()) - interval '1 hour'
returning p.kind, p.receiver,
          (select n.property_id from newest n where n.kind = p.kind and n.receiver = p.receiver),
          (select n.message from newest n where n.kind = p.kind and n.receiver = p.receiver)
