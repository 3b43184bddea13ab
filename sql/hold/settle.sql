-- A person's decision $3 (approved or rejected) about the hold $2 (null: every open one) of receiver $1, at $4 (null: now). What was
-- approved is owed; what was rejected stays as it was sealed until it is back. A rejected hold may still be approved by its number.
-- Locks the holds and their units, between two plans. One row for each hold and property: how many units, whether the feed
-- is paused; without a property where no unit was left. Units are found from their holds and counted as they are decided about, and
-- what was counted is joined with nothing that has no index, so that thousands of holds that the statistics know nothing of cost what
-- their units cost.
with chosen as materialized (
    select h.hold_id, h as of_hold
      from rentsync.hold h
     where h.receiver = $1
       and case when $2::bigint is null then h.state = 'open'
                else h.hold_id = $2 and (h.state = 'open' or h.state = 'rejected' and $3 = 'approved') end
       for update
), kept as materialized (
    select c.hold_id, u.feed_id, u.unit_id from chosen c cross join lateral rentsync.units_of_hold(c.of_hold) u
), unit as (
    update rentsync.ledger l
       set withheld = case when $3 = 'rejected' then 'rejected' end,
           withheld_because = case when $3 = 'rejected' then rentsync.kept_because(kept.hold_id) end,
           withheld_at = case when $3 = 'rejected' then coalesce($4, clock_timestamp()) end,
           owed = case when $3 = 'approved' then 'approved' else l.owed end
      from kept
     where l.feed_id = kept.feed_id and l.unit_id = kept.unit_id
    returning kept.hold_id, l.feed_id
), part as materialized (
    select hold_id, feed_id, count(*) as units from unit group by hold_id, feed_id
), of_hold as materialized (
    select hold_id, sum(units)::bigint as units
      from (select hold_id, units from part union all select hold_id, 0 from chosen) as either
     group by hold_id
), decided as (
    update rentsync.hold h
       set state = $3, settled_at = coalesce($4, clock_timestamp()), units = of_hold.units
      from of_hold
     where h.hold_id = of_hold.hold_id
)
select counted.hold_id, f.property_id, counted.units, coalesce(f.paused_because is not null, false) as feed_is_paused
  from (select hold_id, feed_id, units from part union all select hold_id, null, 0 from of_hold where units = 0) as counted
  left join rentsync.feed f on f.feed_id = counted.feed_id
 order by counted.hold_id, f.property_id
