-- What was refused of the feeds $1 is owed once more, each unit by itself and after everything else: it may be accepted by now, and
-- if it isn't nothing else is rejected with it. Locks the units.
update rentsync.ledger
   set withheld = null, withheld_because = null, refused_hash = null, withheld_at = null,
       owed = 'retry', bisection = -1 - (unit_id & 4611686018427387903)
 where feed_id = any ($1) and withheld = 'refused'
