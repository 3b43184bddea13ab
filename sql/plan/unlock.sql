-- Gives back what try_lock took.
select pg_advisory_unlock(hashtextextended('rentsync.plan.' || $1, 0))
