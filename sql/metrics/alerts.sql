-- Alerts by receiver and kind: how often they were raised in all, and how many stand open. Reads only.
select coalesce(receiver, ''), kind, sum(times)::bigint, count(*) filter (where acked_at is null)::float8
  from rentsync.alert
 group by 1, 2
 order by 1, 2
