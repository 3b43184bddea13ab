-- The right to plan for receiver $1, until unlocked or the session ends. Taken before the plan's snapshot, because
-- under REPEATABLE READ a row changed since the snapshot fails the whole batch. Doesn't wait: whoever has it plans.
select pg_try_advisory_lock(hashtextextended('rentsync.plan.' || $1, 0))
