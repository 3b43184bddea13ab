-- The right to plan for receiver $1 until this transaction ends, which a crash does not forget: a plan under way seals before
-- what follows, or after it. Waits for one batch at most.
select pg_advisory_xact_lock(hashtextextended('rentsync.plan.' || $1, 0)), set_config('synchronous_commit', 'on', true)
