-- The changes that touched unit $3 under property $1, or the whole property, or every property, the newest first, at most $4; with
-- each whether the cursor of feed $2 (null: there is none) has it planned. Reads only.
select change.occurred_at, change.xid::text as transaction, change.op,
       case when change.property_id is null then 'every property' when change.unit_ids is null then 'property' else 'unit' end as of,
       (select pg_visible_in_snapshot(change.xid, f.cursor) from rentsync.feed f where f.feed_id = $2) as is_planned
  from (select * from rentsync.outbox where property_id = $1 and (unit_ids is null or $3 = any (unit_ids))
         union all
        select * from rentsync.outbox where property_id is null) as change
 order by change.occurred_at desc, change.xid desc
 limit $4
