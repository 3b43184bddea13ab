-- Nothing shows whether it is the unit that stood alone in feed $1's search: it waits for that (let_go). Locks it.
update rentsync.ledger set bisection = 0 where feed_id = $1 and bisection is not null and withheld = 'refused'
