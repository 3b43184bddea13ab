-- Moves up the cursors of receiver $1's feeds that hold back transaction $2 or older, at most $4 of them. Says how many, and
-- how many of these are due a snapshot.
--
-- A feed without news has planned everything: its cursor is this transaction's snapshot. One with news keeps them: its
-- cursor stands before the first. But news from before $3 is not kept for any feed, however long it is paused: it is due a
-- snapshot instead. What is in progress lies beyond any of these cursors. Where that keeps a cursor from moving nothing is
-- written. Locks those feeds; runs in a REPEATABLE READ transaction that marked the right to plan.
with feed as (
    select f.feed_id, f.cursor, news.first, news.too_old
      from rentsync.feed f
     cross join lateral (
           select (array_agg(o.xid order by o.xid))[1] as first, coalesce(bool_or(o.occurred_at < $3), false) as too_old
             from rentsync.news(f.property_id, f.cursor) as o
           ) as news
     where f.receiver = $1 and pg_snapshot_xmin(f.cursor) <= $2::text::xid8
), target as (
    select feed_id, too_old,
           case when first is null or too_old then pg_current_snapshot()
                -- Everything before it is over and planned.
                else (select format('%1$s:%1$s:', least(first, pg_snapshot_xmin(pg_current_snapshot()))))::pg_snapshot
           end as moved
      from feed
), moved as (
    update rentsync.feed f
       set cursor = target.moved,
           snapshot_due = case when target.too_old then coalesce(f.snapshot_due, 'pruned') else f.snapshot_due end
      from (select t.* from target t join rentsync.feed f using (feed_id)
             where pg_snapshot_xmin(t.moved) > pg_snapshot_xmin(f.cursor)
             order by feed_id limit $4) as target
     where f.feed_id = target.feed_id
    returning target.too_old
)
select count(*), count(*) filter (where too_old) from moved
