-- The oldest of what rentsync.news has, in the same four cases. Written out all the same: the minimum over news reads every change that
-- waits for a feed, and a limit on it makes each feed's look dearer by the steps of a union, where hardly one of many feeds has news.
create or replace function rentsync.first_news(of_property bigint, planned pg_snapshot)
returns table (occurred_at timestamptz)
language sql stable as $$
    select least(
        (select o.occurred_at
           from rentsync.outbox o
          where o.property_id >= of_property and o.property_id <= of_property and o.xid >= pg_snapshot_xmax(planned)
          order by o.property_id, o.xid
          limit 1),
        case when pg_snapshot_xmin(planned) < pg_snapshot_xmax(planned)
             then (select min(o.occurred_at)
                     from pg_snapshot_xip(planned) as running (xid)
                    cross join lateral (
                          select o.occurred_at
                            from rentsync.outbox o
                           where o.property_id >= of_property and o.property_id <= of_property
                             and o.xid >= running.xid and o.xid <= running.xid
                           order by o.property_id, o.xid
                          offset 0
                          ) as o) end,
        case when pg_snapshot_xmin(planned) < pg_snapshot_xmax(planned)
              and pg_snapshot_xmin(planned) <= (select e.xid from rentsync.outbox e where e.property_id is null order by e.property_id desc, e.xid desc limit 1)
             then (select min(o.occurred_at)
                     from pg_snapshot_xip(planned) as running (xid)
                    cross join lateral (
                          select o.occurred_at from rentsync.outbox o where o.property_id is null and o.xid >= running.xid and o.xid <= running.xid offset 0
                          ) as o) end,
        case when pg_snapshot_xmax(planned) <= (select e.xid from rentsync.outbox e where e.property_id is null order by e.property_id desc, e.xid desc limit 1)
             then (select o.occurred_at
                     from rentsync.outbox o
                    where o.property_id is null and o.xid >= pg_snapshot_xmax(planned)
                    order by o.property_id, o.xid
                    limit 1) end)
$$
