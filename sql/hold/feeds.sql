-- What the holds of the feeds $1 go by at $2 (null: now): removals that wait, removals sealed for the first time within 24 hours
-- (deleted or moved), and how many units there were when those began. A removal that a person approved counts neither way.
-- Reads only.
select f.feed_id,
       (select coalesce(sum(w.units), 0)::bigint from rentsync.withheld w where w.receiver = f.receiver and w.feed_id = f.feed_id and w.kind = 'held') as waiting,
       coalesce(removed.units, 0) as gone,
       least(coalesce(removed.units_before, f.units), f.units + coalesce(removed.units + removed.uncovered, 0)) as of_units
  from rentsync.feed f
 cross join lateral (
       select sum(r.units)::bigint as units, sum(r.uncovered)::bigint as uncovered,
              (array_agg(r.units_before order by r.sequence))[1] as units_before
         from rentsync.removed r
        where r.feed_id = f.feed_id and r.told_at > coalesce($2, clock_timestamp()) - interval '24 hours'
       ) as removed
 where f.feed_id = any ($1)
