-- Every unit of the feeds $1 is sealed again at the next plans, in deltas. Locks the units.
update rentsync.ledger set owed = 'retell' where feed_id = any ($1) and owed is null and withheld is null
