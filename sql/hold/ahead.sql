-- How many units of receiver $1 (property groups $2; null: all) are gone from the source in feeds other than $3, and would be
-- removed next: so that a source that lost everything is doubted before the first removal is told and not after a fifth of
-- them. Leaves out what waits for a person or was decided by one. Reads both sides of the whole receiver: asked only where a
-- batch removes a lot.
select count(*)
  from rentsync.feed f
  join rentsync.ledger l using (feed_id)
  left join rentsync.source_property() p on p.property_id = f.property_id
  left join rentsync.source_unit() s on s.unit_id = l.unit_id and s.property_id = f.property_id
 where f.receiver = $1 and not f.feed_id = any ($3) and f.paused_because is null
   and l.hash is not null and l.removed is null and l.owed is distinct from 'approved'
   and (l.kept_back is null or l.kept_back in ('invalid', 'refused', 'elsewhere'))
   and (s.unit_id is null or not f.enabled or p.is_active is not true
        or not coalesce($2::bigint[] is null or p.project_group_id = any ($2), false))
