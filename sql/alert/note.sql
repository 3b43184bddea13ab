-- Writes down good news: an alert of kind $1 about receiver $2 and property $3 (null: about none) with message $4, at $5 (null:
-- now), that needs no acknowledgement. Locks nothing that exists.
insert into rentsync.alert (kind, receiver, property_id, message, raised_at, last_at, acked_at)
select $1, $2, $3, $4, moment, moment, moment from (select coalesce($5, clock_timestamp()) as moment) as at
