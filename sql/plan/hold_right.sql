-- The first statement of a plan's REPEATABLE READ transaction: takes its snapshot, and locks the right to plan for receiver $1
-- until it ends, if relay $2 still has it under the number $3. Waits for a command that marks; that one has changed the row then,
-- which fails this statement (40001), and the plan starts anew with a snapshot that sees the marks.
select fence
  from rentsync.planner
 where receiver = $1 and relay_id = $2 and fence = $3
   for no key update
