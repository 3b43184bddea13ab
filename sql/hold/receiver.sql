-- The same over all that receiver $1 is told at $2 (null: now), whatever the reason: removals that wait in the feeds' own
-- holds and in the one over the whole, removals told, units when the 24 hours began. Reads only; one row for each feed, and the few that say how many went of late.
select (select count(*) from rentsync.ledger l join rentsync.feed f using (feed_id)
         where f.receiver = $1 and l.kept_back = 'held'),
       (select count(*) from rentsync.ledger l join rentsync.feed f using (feed_id)
         where f.receiver = $1 and l.kept_back = 'guarded'),
       coalesce(sum(told.gone), 0)::bigint,
       coalesce(sum(least(coalesce(told.units_before, f.units), f.units + coalesce(told.gone, 0))), 0)::bigint
  from rentsync.feed f
  left join (
       select r.feed_id, sum(r.units + r.uncovered) as gone, (array_agg(r.units_before order by r.sequence))[1] as units_before
         from rentsync.removed r
        where r.receiver = $1 and r.told_at > coalesce($2, clock_timestamp()) - interval '24 hours'
        group by r.feed_id
       ) as told using (feed_id)
 where f.receiver = $1
