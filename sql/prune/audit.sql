-- Deletes what was noted in the audit before $1, at most $2 rows of the oldest, and nothing of the last 30 days. Says how many.
-- Passes over what is locked. A function of the owner's does it (sql/capture/functions.sql): the relay's role may not delete there.
select rentsync.forget_audit($1, $2)
