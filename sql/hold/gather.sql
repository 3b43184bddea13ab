-- Puts together what the feeds $2 of receiver $1, and the receiver as a whole, say of units kept back, where that are several rows
-- or none are left. By the right to plan, so that nobody else does; rows that are added meanwhile stay. Locks those rows.
with several as materialized (
    select w.feed_id, w.kept_back from rentsync.withheld w
     where w.feed_id = any ($2)
     group by w.feed_id, w.kept_back having count(*) > 1 or sum(w.units) = 0
     union all
    select null, w.kept_back from rentsync.withheld w
     where w.receiver = $1 and w.feed_id is null
     group by w.kept_back having count(*) > 1 or sum(w.units) = 0
), taken as (
    delete from rentsync.withheld w using several s
     where w.feed_id = s.feed_id and w.kept_back = s.kept_back
    returning w.feed_id, w.kept_back, w.units
), taken_of_all as (
    delete from rentsync.withheld w using several s
     where w.receiver = $1 and w.feed_id is null and s.feed_id is null and w.kept_back = s.kept_back
    returning w.kept_back, w.units
)
insert into rentsync.withheld (receiver, feed_id, kept_back, units)
select $1, feed_id, kept_back, sum(units) from taken group by feed_id, kept_back having sum(units) <> 0
 union all
select $1, null, kept_back, sum(units) from taken_of_all group by kept_back having sum(units) <> 0
