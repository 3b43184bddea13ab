-- What is open for receiver $1 and nobody has leased is due now. Locks those syncs.
update rentsync.sync
   set due_at = least(due_at, clock_timestamp())
 where receiver = $1 and state = 'open' and leased_until is null
