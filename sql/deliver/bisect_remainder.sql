-- What feed $1 owes beside what sync $2 carried is sent as bisected ones from now on: is it the unit that stood alone, or the
-- property? Locks the units.
update rentsync.ledger
   set bisection = $2 * 2 + 1
 where feed_id = $1 and sequence is distinct from $2 and owed is not null and withheld is null
