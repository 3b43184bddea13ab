-- The unacknowledged alerts about receiver $1, newest first. Reads only.
select alert_id as id, kind, property_id, times, last_at, message
  from rentsync.alert
 where receiver = $1 and acked_at is null
 order by last_at desc
 limit 20
