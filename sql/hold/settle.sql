-- A person's decision $3 (approved or rejected) about the hold $2 (null: every open one) of receiver $1, at $4 (null: now). What was
-- approved is owed; what was rejected stays as it was told until it is back. A rejected hold may still be approved by its number.
-- Locks the holds and their units, between two plans. One row for each hold and property: how many units, whether the feed
-- is paused; without a property where no unit was left.
with decided as (
    update rentsync.hold h
       set state = $3, settled_at = coalesce($4, clock_timestamp()),
           units = (select count(*) from rentsync.held_unit u where u.hold_id = h.hold_id)
     where h.receiver = $1
       and case when $2::bigint is null then h.state = 'open'
                else h.hold_id = $2 and (h.state = 'open' or h.state = 'rejected' and $3 = 'approved') end
    returning h.hold_id
), unit as (
    update rentsync.ledger l
       set kept_back = case when $3 = 'rejected' then 'rejected' end,
           kept_back_because = case when $3 = 'rejected' then rentsync.kept_because(u.hold_id) end,
           kept_back_at = case when $3 = 'rejected' then coalesce($4, clock_timestamp()) end,
           owed = case when $3 = 'approved' then 'approved' else l.owed end
      from rentsync.held_unit u join decided using (hold_id)
     where l.feed_id = u.feed_id and l.unit_id = u.unit_id
    returning u.hold_id, l.feed_id
)
select d.hold_id, f.property_id, count(u.hold_id) as units, coalesce(f.paused_because is not null, false) as feed_is_paused
  from decided d
  left join (unit u join rentsync.feed f using (feed_id)) using (hold_id)
 group by d.hold_id, f.property_id, f.paused_because
 order by d.hold_id, f.property_id
