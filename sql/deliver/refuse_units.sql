-- The receiver does not take what sync $2 told feed $1 of the units $3, because of $4: left out until they
-- change, at $5 (null: now). Units that this sync did not tell are passed over: an answer may name anything. Locks the
-- units. Says which.
update rentsync.ledger l
   set withheld = 'refused', withheld_because = $4, refused_hash = l.hash,
       withheld_at = coalesce($5, clock_timestamp()), owed = null, bisection = null
 where l.feed_id = $1 and l.sequence = $2 and l.unit_id = any ($3)
returning l.unit_id
