-- The first statement of a plan's REPEATABLE READ transaction: takes its snapshot, and locks the right to plan for receiver $1
-- until it ends, if relay $2 still has it under the number $3. Waits for a command that marks; that one has changed the row then,
-- which fails this statement (40001), and the plan starts anew with a snapshot that sees the marks.
--
-- From here on the transaction waits for a lock for a moment only, as brief_locks has it and for its reasons: set here, because a
-- statement of its own is a round trip of every plan. Set behind the lock (the rows of a materialized query come first), so that
-- a command that marks is waited for as long as the session waits for anybody.
with held as materialized (
    select fence
      from rentsync.planner
     where receiver = $1 and relay_id = $2 and fence = $3
       for no key update
)
select fence, set_config('lock_timeout', '400ms', true) from held
