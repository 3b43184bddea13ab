-- Puts together what the feeds $2 of receiver $1, and the receiver as a whole, say of units withheld, where that are several rows
-- or none are left. By the right to plan, so that nobody else does; rows that are added meanwhile stay. Each feed is
-- looked up by itself, and what goes is found again by its place: while there is none of them, which is nearly always, a plan that joined
-- would be made for none. Locks those rows.
with several as materialized (
    select w.feed_id, w.kind, sum(w.units) as units, array_agg(w.place) as places
      from (select w.ctid as place, w.feed_id, w.kind, w.units
              from unnest($2::bigint[]) as asked (feed_id)
             cross join lateral (select w.ctid, w.* from rentsync.withheld w where w.feed_id = asked.feed_id offset 0) as w
             union all
            select w.ctid, w.feed_id, w.kind, w.units
              from rentsync.withheld w
             where w.receiver = $1 and w.feed_id is null
           ) as w
     group by w.feed_id, w.kind having count(*) > 1 or sum(w.units) = 0
), gone as (
    delete from rentsync.withheld
     where ctid = any (array(select unnest(places) from several))
)
insert into rentsync.withheld (receiver, feed_id, kind, units)
select $1, feed_id, kind, units from several where units <> 0
