-- Holds of receiver $1 that need nobody any more, at $2 (null: now), because units came back: what is left of them, with what was
-- told before, is fewer than the settings allow ($3 units and $4 percent of a feed, $5 and $6 of the receiver). What is left is
-- told. Looks at the hold over the whole and at those of the feeds $7 (null: all); the one over the whole goes by all that waits
-- or that a person wants kept. Locks them and their units. Says how many holds are open after that.
with kept as (
    select count(*) as units from rentsync.held_unit where receiver = $1
), standing as (
    select h.hold_id, count(u.unit_id) as units, h.of_units,
           h.gone + case when h.feed_id is null then (select units from kept) else count(u.unit_id) end as removed,
           case when h.feed_id is null then $5::bigint else $3::bigint end as units_min,
           case when h.feed_id is null then $6::bigint else $4::bigint end as percent_max
      from rentsync.hold h
      left join rentsync.held_unit u using (hold_id)
     where h.receiver = $1 and h.state = 'open' and ($7::bigint[] is null or h.feed_id is null or h.feed_id = any ($7))
     group by h.hold_id
), over as (
    select hold_id from standing
     where units = 0 or percent_max = 100 or removed < units_min or removed * 100 <= of_units * percent_max
), released as (
    update rentsync.ledger l
       set kept_back = null, kept_back_because = null, kept_back_at = null, owed = coalesce(l.owed, 'removal')
      from over join rentsync.held_unit u using (hold_id)
     where l.feed_id = u.feed_id and l.unit_id = u.unit_id
), cleared as (
    update rentsync.hold h
       set state = 'cleared', settled_at = coalesce($2, clock_timestamp())
      from over
     where h.hold_id = over.hold_id
)
select (select count(*) from rentsync.hold h where h.receiver = $1 and h.state = 'open') - (select count(*) from over)
