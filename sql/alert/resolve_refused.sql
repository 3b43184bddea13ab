-- Of the properties $2 units that receiver $1 refused are no longer to be sent: alerts about them are over at $3 (null: now)
-- where no other unit is refused. Locks those.
update rentsync.alert a
   set acked_at = coalesce($3, clock_timestamp())
 where a.acked_at is null
   and a.kind = 'refused'
   and coalesce(a.receiver, '') = $1
   and coalesce(a.property_id, -1) = any ($2)
   and not exists (
       select from rentsync.feed f join rentsync.ledger l using (feed_id)
        where f.receiver = $1 and f.property_id = a.property_id and l.withheld = 'refused')
