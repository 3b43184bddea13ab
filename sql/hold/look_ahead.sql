-- How many units of receiver $1 (property groups $2; null: all) are gone from the source in the next $5 feeds beyond feed $4,
-- those of $3 left out, that have news or are due a whole comparison: what would be removed next. So a source that lost
-- everything is doubted before the first removal is sealed and not after a fifth of them. Leaves out what waits for a person or
-- was decided by one. Says where to go on. Reads only; asked step by step, until there are enough.
with feed as materialized (
    select f.* from rentsync.feed f
     where f.receiver = $1 and f.feed_id > $4
     order by f.feed_id
     limit $5
), losing as (
    select f.feed_id, f.property_id,
           not f.enabled or p.is_active is not true
             or not coalesce($2::bigint[] is null or p.project_group_id = any ($2), false) as is_uncovered
      from feed f
      left join lateral (
           select s.is_active, s.project_group_id from rentsync.source_property() s where s.property_id = f.property_id limit 1
           ) as p on true
     where not f.feed_id = any ($3) and f.paused_because is null
       and (f.cursor is null or f.snapshot_due is not null
         or exists (select from rentsync.news(f.property_id, f.cursor))
         or exists (select from rentsync.ledger l
                     where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null))
)
select coalesce(sum(gone.units), 0)::bigint, (select max(feed_id) from feed)
  from losing
 cross join lateral (
       select count(*) as units
         from (select l.unit_id from rentsync.ledger l
                where l.feed_id = losing.feed_id
                  and l.hash is not null and l.removed is null and l.owed is distinct from 'approved'
                  and (l.withheld is null or l.withheld in ('invalid', 'refused', 'elsewhere'))
               except
               select s.unit_id::bigint from rentsync.source_unit() s
                where s.property_id = losing.property_id and not losing.is_uncovered
              ) as unit
       ) as gone
