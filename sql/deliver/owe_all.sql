-- Every unit of the feeds $1 is told again at the next plans, as deltas. Locks the units.
update rentsync.ledger set owed = 'retell' where feed_id = any ($1) and owed is null and withheld is null
