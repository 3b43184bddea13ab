-- How each open hold stands, from counts that are kept: neither the ledger nor the units of a hold are read.
create or replace view rentsync.standing_hold as
select h.hold_id, h.receiver, h.feed_id, h.of_units, kept.units,
       h.gone + case when h.feed_id is null then kept.of_all else kept.units end as removed
  from rentsync.hold h
  cross join lateral (
        select coalesce(sum(w.units) filter (where w.kind = case when h.feed_id is null then 'guarded' else 'held' end), 0)::bigint as units,
               coalesce(sum(w.units) filter (where w.kind in ('held', 'guarded', 'rejected')), 0)::bigint as of_all
          from (select w.kind, w.units from rentsync.withheld w where h.feed_id is not null and w.feed_id = h.feed_id
                 union all
                select w.kind, w.units from rentsync.withheld w
                 where h.feed_id is null and w.receiver = h.receiver and w.feed_id is null) as w
        ) as kept
 where h.state = 'open'
