-- Deletes drift that was found before $1, at most $2. Passes over what is locked.
delete from rentsync.drift
 where drift_id in (select drift_id from rentsync.drift where found_at < $1 limit $2 for update skip locked)
