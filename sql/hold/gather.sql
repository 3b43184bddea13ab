-- Puts together what the feeds $2 of receiver $1, and the receiver as a whole, say of units withheld, where that are several rows
-- or none are left. By the right to plan, so that nobody else does; rows that are added meanwhile stay. Each feed is
-- looked up by itself, by the index that begins with it. Locks those rows.
with several as materialized (
    select w.feed_id, w.kind
      from unnest($2::bigint[]) as asked (feed_id)
     cross join lateral (select * from rentsync.withheld w where w.feed_id = asked.feed_id offset 0) as w
     group by w.feed_id, w.kind having count(*) > 1 or sum(w.units) = 0
     union all
    select null, w.kind from rentsync.withheld w
     where w.receiver = $1 and w.feed_id is null
     group by w.kind having count(*) > 1 or sum(w.units) = 0
), gathered as (
    delete from rentsync.withheld w using several s
     where w.feed_id = s.feed_id and w.kind = s.kind
    returning w.feed_id, w.kind, w.units
), gathered_of_all as (
    delete from rentsync.withheld w using several s
     where w.receiver = $1 and w.feed_id is null and s.feed_id is null and w.kind = s.kind
    returning w.kind, w.units
)
insert into rentsync.withheld (receiver, feed_id, kind, units)
select $1, feed_id, kind, sum(units) from gathered group by feed_id, kind having sum(units) <> 0
 union all
select $1, null, kind, sum(units) from gathered_of_all group by kind having sum(units) <> 0
