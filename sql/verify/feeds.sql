-- The feeds of receiver $1 as they stand, news or not, each with what is yet to be planned: the next $4 after feed $3, of
-- property $2 (null: of all). The columns are those of choose_feeds; what is owed and withheld
-- is not counted, because nothing is sealed. Reads only, locks nothing.
select f.feed_id, f.property_id, f.external_id, f.enabled, f.property_hash, f.property_owed, f.digest, f.units, 0::bigint, 0::bigint,
       f.snapshot_due, f.snapshot_run, f.bisection, f.bisection_waited, f.sequence_offset,
       f.cursor is null or news.whole,
       news.unit_ids,
       news.oldest_change,
       (select count(*) from rentsync.source_unit() s where s.property_id = f.property_id)
     + (select count(*) from rentsync.ledger l where l.feed_id = f.feed_id)
  from rentsync.feed f
 cross join lateral (
       select coalesce(bool_or(change.unit_ids is null), false) as whole,
              array_agg(distinct touched.unit_id) filter (where touched.unit_id is not null) as unit_ids,
              min(change.occurred_at) as oldest_change
         from rentsync.news(f.property_id, f.cursor) as change
         left join lateral unnest(change.unit_ids) as touched (unit_id) on true
       ) as news
 where f.receiver = $1
   and ($2::bigint is null or f.property_id = $2)
   and f.feed_id > $3
 order by f.feed_id
 limit $4
