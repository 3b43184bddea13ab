-- The open alerts of kind $2 about receiver $1 and the properties $3 are over, at $4 (null: now). Locks them.
update rentsync.alert
   set acked_at = coalesce($4, clock_timestamp())
 where receiver = $1 and kind = $2 and property_id = any ($3) and acked_at is null
