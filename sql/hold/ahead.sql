-- How many units of receiver $1 (property groups $2; null: all) are gone from the source in feeds other than $3, and would be
-- removed next: so that a source that lost everything is doubted before the first removal is told and not after a fifth of
-- them. Leaves out what waits for a person or was decided by one, and properties that their own hold catches (at least $4
-- units and more than $5 percent). Reads both sides of the whole receiver: asked only where a batch removes a lot.
select coalesce(sum(feed.gone), 0)::bigint
  from (
       select count(*) as gone
         from rentsync.feed f
         join rentsync.ledger l using (feed_id)
         left join rentsync.source_property() p on p.property_id = f.property_id
         left join rentsync.source_unit() s on s.unit_id = l.unit_id and s.property_id = f.property_id
        cross join lateral (
              select not f.enabled or (p.property_id is not null
                 and (p.is_active is not true or not coalesce($2::bigint[] is null or p.project_group_id = any ($2), false)))
                  as is_uncovered
              ) as feed
        where f.receiver = $1 and not f.feed_id = any ($3) and f.paused_because is null
          and l.hash is not null and l.removed is null and l.owed is distinct from 'approved'
          and (l.kept_back is null or l.kept_back in ('invalid', 'refused', 'elsewhere'))
          and (feed.is_uncovered or p.property_id is null or s.unit_id is null)
        group by f.feed_id, f.units, feed.is_uncovered
       having feed.is_uncovered or count(*) < $4 or count(*) * 100 <= f.units * $5
       ) as feed
