-- Forgets removals that were sealed for receiver $1 more than 24 hours before $2 (null: now), at most $3, because holds look back no
-- further, and what was counted because of them. Says how many. Locks those feeds and the receiver's counts, by the right to
-- plan, so that what goes can be found again by its place: while there is none of it, which is nearly always, a plan that joined would be
-- made for none.
with old as materialized (
    select r.ctid as place, r.feed_id
      from rentsync.removed r
     where r.receiver = $1 and r.told_at <= coalesce($2, clock_timestamp()) - interval '24 hours'
     order by r.told_at
     limit $3
), forgotten as (
    delete from rentsync.removed r
     where r.ctid = any (array(select place from old))
    returning r.feed_id, r.units + r.uncovered as units
), feed as materialized (
    select f.feed_id, f.of_units, least(coalesce(removed.units_before, f.units), f.units + coalesce(removed.gone, 0)) as of_units_now
      from (select distinct feed_id from old) as touched
     cross join lateral (select * from rentsync.feed f where f.feed_id = touched.feed_id offset 0) as f
     cross join lateral (
           select sum(r.units + r.uncovered)::bigint as gone, (array_agg(r.units_before order by r.sequence))[1] as units_before
             from rentsync.removed r
            where r.feed_id = f.feed_id and r.ctid not in (select place from old)
           ) as removed
), moved as (
    update rentsync.feed f set of_units = feed.of_units_now
      from feed where f.feed_id = feed.feed_id and f.of_units <> feed.of_units_now
), counted as (
    update rentsync.receiver_count c
       set gone = c.gone - (select coalesce(sum(units), 0) from forgotten),
           of_units = c.of_units + (select coalesce(sum(of_units_now - of_units), 0) from feed)
     where c.receiver = $1 and exists (select from old)
)
select count(*) from forgotten
