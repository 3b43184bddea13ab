-- Holds of receiver $1 that need nobody any more, at $2 (null: now), because units came back or the settings $3 to $6 allow what is
-- left of them: units and percent of a feed, of the receiver. What is left is released, at most $8 units at a time; a hold ends with
-- the last. Looks at the holds of the feeds $7, -1 for the one over the whole. That one goes by all that waits or that a person
-- wants kept, and stays while more is known to be gone from the source (until $9 seconds after that was counted). Locks
-- them, their units (found again by their place, and what they wait for is asked in a way that no index of the withheld answers: after a
-- quiet time it is thought to be empty, and would be read from end to end) and the receiver's counts, by the right to plan. Says how many units are released, and whether any hold is open after that.
with standing as materialized (
    select h.hold_id, h.feed_id, h.of_units, h.units, h.removed,
           case when h.feed_id is null then $5::bigint else $3 end as units_min,
           case when h.feed_id is null then $6::bigint else $4 end as percent_max,
           h.feed_id is null and c.doubted_at > coalesce($2, clock_timestamp()) - make_interval(secs => $9) as is_doubted
      from rentsync.standing_hold h
      left join rentsync.receiver_count c on c.receiver = h.receiver
     where h.receiver = $1 and coalesce(h.feed_id, -1) = any ($7)
), over as materialized (
    select hold_id, feed_id, units from standing
     where units = 0
        or is_doubted is not true
           and (percent_max = 100 or removed < units_min or removed * 100 <= of_units * percent_max)
), unit as materialized (
    select over.hold_id, over.units, l.place
      from over
     cross join lateral (
           select l.ctid as place from rentsync.ledger l
            where over.units > 0 and l.feed_id = over.feed_id and l.withheld = 'held'
            union all
           select l.place
             from (select distinct w.feed_id from rentsync.withheld w
                    where over.units > 0 and over.feed_id is null
                      and w.receiver = $1 and w.kind = 'guarded' and w.feed_id is not null) as of_all
            cross join lateral (
                  select l.ctid as place from rentsync.ledger l
                   where l.feed_id = of_all.feed_id and l.withheld = 'guarded' offset 0
                  ) as l
           ) as l
     limit $8
), released as (
    update rentsync.ledger l
       set withheld = null, withheld_because = null, withheld_at = null, owed = coalesce(l.owed, 'removal')
     where l.ctid = any (array(select place from unit)) and coalesce(l.withheld, '') in ('held', 'guarded')
), ahead as (
    update rentsync.receiver_count c
       set ahead = c.ahead + (select count(*) from unit)
     where c.receiver = $1 and exists (select from unit)
), cleared as (
    update rentsync.hold h
       set state = 'cleared', settled_at = coalesce($2, clock_timestamp())
      from over
     where h.hold_id = over.hold_id
       and (over.units = 0
            or over.hold_id in (select unit.hold_id from unit group by unit.hold_id having count(*) >= max(unit.units))
            or (select count(*) from unit) < $8)
    returning h.hold_id
)
select (select count(*) from unit),
       exists (select from rentsync.hold h where h.receiver = $1 and h.state = 'open' and h.hold_id not in (select hold_id from cleared))
