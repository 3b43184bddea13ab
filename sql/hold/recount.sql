-- Counts anew what is kept of receiver $1's removals and units, from what its feeds and rentsync.removed say: once when a relay
-- starts, lest an older release that ran against this schema left the counts wrong. Locks the feeds that differ and the
-- receiver's counts, by the right to plan.
with feed as (
    select f.feed_id, f.of_units as noted, least(coalesce(removed.units_before, f.units), f.units + coalesce(removed.gone, 0)) as of_units
      from rentsync.feed f
      left join (
           select r.feed_id, sum(r.units + r.uncovered)::bigint as gone, (array_agg(r.units_before order by r.sequence))[1] as units_before
             from rentsync.removed r
            where r.receiver = $1
            group by r.feed_id
           ) as removed using (feed_id)
     where f.receiver = $1
), moved as (
    update rentsync.feed f set of_units = feed.of_units from feed where f.feed_id = feed.feed_id and feed.of_units <> feed.noted
)
insert into rentsync.receiver_count as c (receiver, of_units, gone)
select $1, coalesce((select sum(of_units) from feed), 0),
       coalesce((select sum(r.units + r.uncovered) from rentsync.removed r where r.receiver = $1), 0)
on conflict (receiver) do update
   set of_units = excluded.of_units, gone = excluded.gone
 where (c.of_units, c.gone) <> (excluded.of_units, excluded.gone)
