-- What was refused of the feeds $1 is told once more, each unit by itself and after everything else: it may be taken by now, and
-- if it isn't nothing else is rejected with it. Locks the units.
update rentsync.ledger
   set kept_back = null, kept_back_because = null, kept_back_hash = null, kept_back_at = null,
       owed = 'retry', suspect = -unit_id
 where feed_id = any ($1) and kept_back = 'refused'
