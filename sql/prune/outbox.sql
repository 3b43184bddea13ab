-- Deletes changes from before $1 that every cursor sees, of the $2 oldest, and notes how far back a replay can go from now
-- on. Says how many.
--
-- Locks the rows it deletes, which nobody else writes to, and then the horizon; passes over what is locked. An insert waits
-- for none of it.
with oldest as materialized (
    select ctid as place, occurred_at
      from rentsync.outbox
     where xid < coalesce((select pg_snapshot_xmin(cursor) from rentsync.feed where cursor is not null order by 1 limit 1),
                          pg_snapshot_xmin(pg_current_snapshot()))
     order by xid
     limit $2
), locked as materialized (
    select o.ctid as place
      from rentsync.outbox o
     where o.ctid = any (array(select place from oldest where occurred_at < $1))
       for update skip locked
), pruned as (
    delete from rentsync.outbox o where o.ctid = any (array(select place from locked))
    returning o.occurred_at
), gone as (
    select count(*) as rows, max(occurred_at) + interval '1 microsecond' as horizon from pruned
), noted as (
    update rentsync.horizon h set pruned_before = greatest(h.pruned_before, gone.horizon) from gone where gone.rows > 0
)
select rows from gone
