-- How many units of receiver $1 may be gone from the source at most that no plan has looked at yet: as many as were when they
-- were counted last, and all that changes have named since, whatever they say of them. Whether so many were found to be gone
-- within $3 seconds before $2 (null: now) that none may be sealed. Reads only: as many changes as are new, $4 at most, then any
-- unit may be gone.
with new as (
    select o.property_id, o.unit_ids, o.op
      from (select property_id, unit_ids, op from rentsync.outbox
             where xid >= pg_snapshot_xmax((select ahead_seen from rentsync.receiver_count where receiver = $1))
               -- As look has it.
               and xid < pg_snapshot_xmax(pg_current_snapshot())
             union all
            select o.property_id, o.unit_ids, o.op
              from pg_snapshot_xip((select ahead_seen from rentsync.receiver_count where receiver = $1)) as running (xid)
             cross join lateral (
                   select property_id, unit_ids, op from rentsync.outbox where xid >= running.xid and xid <= running.xid offset 0
                   ) as o
           ) as o
     limit $4
), named as (
    select count(*) as changes,
           coalesce(sum(case when n.unit_ids is null or n.op = 'snapshot' then case when n.property_id is null then c.of_units else f.units end
                             else cardinality(n.unit_ids) end), 0)::bigint as units
      from new n
      left join rentsync.receiver_count c on c.receiver = $1
      left join rentsync.feed f on f.receiver = $1 and f.property_id = n.property_id
)
-- No setting asks for more removals than a million before they are too many.
select case when c.ahead_seen is null or named.changes >= $4 then c.of_units + 1000000
            else least(c.ahead + named.units, c.of_units + 1000000) end,
       coalesce(c.doubted_at > coalesce($2, clock_timestamp()) - make_interval(secs => $3), false)
  from named
  join rentsync.receiver_count c on c.receiver = $1
