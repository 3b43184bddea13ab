-- Raises an alert of kind $1 about receiver $2 and property $3 (null: about none) with message $4, at $5 (null: now), or counts
-- up the one that stands unacknowledged. Locks that row. Says how often it was raised.
insert into rentsync.alert as a (kind, receiver, property_id, message, raised_at, last_at)
values ($1, $2, $3, $4, coalesce($5, clock_timestamp()), coalesce($5, clock_timestamp()))
on conflict (kind, coalesce(receiver, ''), coalesce(property_id, -1)) where acked_at is null do update
   set times = a.times + 1, message = excluded.message, last_at = excluded.last_at
returning times
