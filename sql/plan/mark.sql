-- The first statement of a transaction that moves cursors of receiver $1 or marks what is owed: a plan under way seals before
-- what follows, and one that waits for this starts anew with a snapshot that sees it. Waits $2 at most, for one batch; a crash
-- does not forget what follows.
with bounded as materialized (
    select set_config('lock_timeout', $2, true), set_config('synchronous_commit', 'on', true)
)
update rentsync.planner set marked = marked + 1 from bounded where receiver = $1
