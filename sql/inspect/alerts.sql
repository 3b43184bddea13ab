-- Alerts about receiver $1 (null: about any), also acknowledged ones if $2, the newest first, at most $3. Reads only.
select alert_id as id, kind, receiver, property_id, times, raised_at, last_at, acked_at, message
  from rentsync.alert
 where ($1::text is null or receiver = $1) and ($2 or acked_at is null)
 order by last_at desc, alert_id desc
 limit $3
