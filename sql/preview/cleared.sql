-- Open holds of receiver $1 that the next sweep ends, by the settings $2 to $5 (units and percent of a feed, of the receiver), of
-- property $6 (null: of any), and how many removals are sent then; as hold/clear.sql has it. Reads only.
with standing as (
    select h.*,
           case when h.feed_id is null then $4::bigint else $2 end as units_min,
           case when h.feed_id is null then $5::bigint else $3 end as percent_max
      from rentsync.standing_hold h
     where h.receiver = $1
)
select s.hold_id, f.property_id, s.units
  from standing s
  left join rentsync.feed f using (feed_id)
 where s.units > 0 and (s.percent_max = 100 or s.removed < s.units_min or s.removed * 100 <= s.of_units * s.percent_max)
   and ($6::bigint is null or s.feed_id is null or f.property_id = $6)
 order by s.hold_id
