-- What the hold over the whole of receiver $1 goes by at $2 (null: now), from what is kept: removals that wait in the feeds' own
-- holds, removals that wait in it, removals sealed within 24 hours, units when those began. Reads only: totals, and what fell out
-- of the 24 hours since the last sweep (expire.sql).
with kept as (
    select coalesce(sum(w.units) filter (where w.kind = 'held'), 0)::bigint as held,
           coalesce(sum(w.units) filter (where w.kind = 'guarded'), 0)::bigint as guarded
      from rentsync.withheld w
     where w.receiver = $1 and w.feed_id is null and w.kind in ('held', 'guarded')
), fallen_out as (
    select r.feed_id, sum(r.units + r.uncovered)::bigint as gone
      from rentsync.removed r
     where r.receiver = $1 and r.told_at <= coalesce($2, clock_timestamp()) - interval '24 hours'
     group by r.feed_id
), since as (
    select coalesce(sum(o.gone), 0)::bigint as gone,
           coalesce(sum(least(coalesce(removed.units_before, f.units), f.units + coalesce(removed.gone, 0)) - f.of_units), 0)::bigint as of_units
      from fallen_out o
      join rentsync.feed f using (feed_id)
     cross join lateral (
           select sum(r.units + r.uncovered)::bigint as gone, (array_agg(r.units_before order by r.sequence))[1] as units_before
             from rentsync.removed r
            where r.feed_id = o.feed_id and r.told_at > coalesce($2, clock_timestamp()) - interval '24 hours'
           ) as removed
)
select null::bigint as feed_id, kept.held, kept.guarded as waiting, coalesce(c.gone, 0) - since.gone as gone,
       coalesce(c.of_units, 0) + since.of_units as of_units
  from kept cross join since left join rentsync.receiver_count c on c.receiver = $1
