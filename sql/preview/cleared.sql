-- Open holds of receiver $1 that the next sweep ends, by the settings $2 to $5 (units and percent of a feed, of the receiver), of
-- property $6 (null: of any), and how many removals are told then; as hold/clear.sql has it. Reads only.
with standing as (
    select h.hold_id, h.feed_id, h.of_units, kept.units,
           h.gone + case when h.feed_id is null then kept.of_all else kept.units end as removed,
           case when h.feed_id is null then $4 else $2 end as units_min,
           case when h.feed_id is null then $5 else $3 end as percent_max
      from rentsync.hold h
     cross join lateral (
           select coalesce(sum(w.units) filter (where w.kept_back = case when h.feed_id is null then 'guarded' else 'held' end), 0)::bigint as units,
                  coalesce(sum(w.units) filter (where w.kept_back in ('held', 'guarded', 'rejected')), 0)::bigint as of_all
             from (select w.kept_back, w.units from rentsync.withheld w where h.feed_id is not null and w.feed_id = h.feed_id
                    union all
                   select w.kept_back, w.units from rentsync.withheld w
                    where h.feed_id is null and w.receiver = h.receiver and w.feed_id is null) as w
           ) as kept
     where h.receiver = $1 and h.state = 'open'
)
select s.hold_id, f.property_id, s.units
  from standing s
  left join rentsync.feed f using (feed_id)
 where s.units > 0 and (s.percent_max = 100 or s.removed < s.units_min or s.removed * 100 <= s.of_units * s.percent_max)
   and ($6::bigint is null or s.feed_id is null or f.property_id = $6)
 order by s.hold_id
