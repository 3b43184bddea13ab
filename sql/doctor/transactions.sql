-- Transactions that have been open for more than $1 seconds (prepared ones: $2) and that cleaning or cursors wait for: those of
-- this database, and of others where they write. Reads only.
--
-- When another role's transaction began is not shown to this one. But which transactions it may still see is, and so when the
-- first change beyond them was made: as long at least cleaning waits for it. Where there is none, nothing waits.
with seen as (
    select true as is_prepared, gid as name, null::integer as pid, database::text as database, owner::text as role,
           prepared as since, null::text as state
      from pg_prepared_xacts
     union all
    select false, a.application_name, a.pid, a.datname::text, a.usename::text, coalesce(a.xact_start, held_up.since), a.state
      from pg_stat_activity a
     cross join (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next) as transaction
      left join lateral (
           select o.occurred_at as since
             from rentsync.outbox o
            where o.xid >= (greatest(3, transaction.next
                               - ((transaction.next - coalesce(a.backend_xmin, a.backend_xid)::text::bigint) & 4294967295))::text)::xid8
            order by o.xid
            limit 1
           ) as held_up on a.xact_start is null
     where a.pid <> pg_backend_pid() and a.usename is not null
       and (a.backend_xid is not null or a.backend_xmin is not null and a.datname = current_database())
)
select is_prepared, name, pid, database, role, state,
       extract(epoch from clock_timestamp() - since)::float8 as seconds
  from seen
 where since < clock_timestamp() - make_interval(secs => case when is_prepared then $2::float8 else $1 end)
 order by since
 limit 20
