-- A function and not a view: it is asked of one property and one cursor, and becomes part of the statement that asks. What it costs
-- is decided by which index is taken: by transaction alone a feed would be asked for everybody's changes. So the property is a range
-- of one, and so is each running transaction: a range with two unknown ends is taken for a narrow one, whatever the statistics say
-- of how many properties there are and how much a transaction writes. And each of these is looked for by itself: joined, or as an
-- array, one that is open for long had everything read that is kept. Conditions without a column are asked before any index is; the
-- newest change of every property is asked for by the order that only the index with both columns has.
create or replace function rentsync.news(of_property bigint, planned pg_snapshot)
returns table (xid xid8, occurred_at timestamptz, op text, unit_ids bigint[])
language sql stable as $$
    select o.xid, o.occurred_at, o.op, o.unit_ids
      from rentsync.outbox o
     where o.property_id >= of_property and o.property_id <= of_property and o.xid >= pg_snapshot_xmax(planned)
     union all
    select o.xid, o.occurred_at, o.op, o.unit_ids
      from pg_snapshot_xip(planned) as running (xid)
     cross join lateral (
           select * from rentsync.outbox o
            where o.property_id >= of_property and o.property_id <= of_property and o.xid >= running.xid and o.xid <= running.xid
            order by o.property_id, o.xid
           offset 0
           ) as o
     union all
    select o.xid, o.occurred_at, o.op, o.unit_ids
      from rentsync.outbox o
     where pg_snapshot_xmax(planned) <= (select e.xid from rentsync.outbox e where e.property_id is null order by e.property_id desc, e.xid desc limit 1)
       and o.property_id is null and o.xid >= pg_snapshot_xmax(planned)
     union all
    select o.xid, o.occurred_at, o.op, o.unit_ids
      from pg_snapshot_xip(planned) as running (xid)
     cross join lateral (
           select * from rentsync.outbox o where o.property_id is null and o.xid >= running.xid and o.xid <= running.xid offset 0
           ) as o
     where pg_snapshot_xmin(planned) <= (select e.xid from rentsync.outbox e where e.property_id is null order by e.property_id desc, e.xid desc limit 1)
$$
