-- Deletes alerts that were acknowledged before $1, at most $2. Passes over what is locked.
delete from rentsync.alert
 where alert_id in (select alert_id from rentsync.alert where acked_at < $1 limit $2 for update skip locked)
