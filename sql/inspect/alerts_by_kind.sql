-- Alerts by receiver and kind: how often they were raised in all, and how many stand open. Reads only.
select coalesce(receiver, '') as receiver, kind, sum(times)::bigint as times, count(*) filter (where acked_at is null) as open
  from rentsync.alert
 group by 1, 2
 order by 1, 2
