-- The subscriptions by which the tables $1 (full names) come here, as logical replication has them: whether each is enabled, whether its
-- worker runs, how long ago that last heard of the publisher, and which of the tables are not copied yet. Reads catalogs that everybody may
-- read; how far the publisher's slot is can be seen there alone.
select s.subname::text as name, s.subenabled as is_enabled, w.pid is not null as runs,
       extract(epoch from clock_timestamp() - w.last_msg_receipt_time)::float8 as silent_seconds,
       coalesce(string_agg(r.srrelid::regclass::text, ', ' order by r.srrelid) filter (where r.srsubstate not in ('r', 's')), '') as copying
  from pg_subscription s
  join pg_subscription_rel r on r.srsubid = s.oid
  left join lateral (
       select a.pid, a.last_msg_receipt_time from pg_stat_subscription a where a.subid = s.oid and a.relid is null limit 1
       ) as w on true
 where r.srrelid = any (select to_regclass(name) from unnest($1::text[]) as asked (name))
 group by s.oid, s.subname, s.subenabled, w.pid, w.last_msg_receipt_time
 order by s.subname
