-- Nothing shows whether it is the unit that stood alone in feed $1's search: it waits for that (let_go). Locks it.
update rentsync.ledger set suspect = 0 where feed_id = $1 and suspect is not null and kept_back = 'refused'
