-- Each kind of hold by its own join: one that any row of the ledger might belong to is compared with all of them.
create or replace view rentsync.held_unit as
select h.hold_id, h.receiver, h.state, l.feed_id, f.property_id, l.unit_id, l.unit_code, l.withheld_at as since
  from rentsync.hold h
  join rentsync.ledger l on l.feed_id = h.feed_id and l.withheld = 'held'
  join rentsync.feed f on f.feed_id = l.feed_id
 where h.state = 'open'
 union all
select h.hold_id, h.receiver, h.state, l.feed_id, f.property_id, l.unit_id, l.unit_code, l.withheld_at
  from rentsync.hold h
  join rentsync.feed f on f.receiver = h.receiver
  join rentsync.ledger l on l.feed_id = f.feed_id and l.withheld = 'guarded'
 where h.state = 'open' and h.feed_id is null
 union all
select h.hold_id, h.receiver, h.state, l.feed_id, f.property_id, l.unit_id, l.unit_code, l.withheld_at
  from rentsync.ledger l
  join rentsync.feed f on f.feed_id = l.feed_id
  join rentsync.hold h on rentsync.kept_because(h.hold_id) = l.withheld_because
                      and h.receiver = f.receiver and l.feed_id = coalesce(h.feed_id, l.feed_id)
 where h.state = 'rejected' and l.withheld = 'rejected'
