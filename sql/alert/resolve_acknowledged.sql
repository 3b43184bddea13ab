-- Receiver $1 acknowledged a sync of each of the properties $2, and of the batches that they came in, at $3 (null: now): alerts
-- about what it did not acknowledge of them before are over, and those about another digest of the properties $4. Locks those.
--
-- "Refused" is over with the last unit that is refused; "rejected" only once the bad units are found. An alert about a batch
-- names no property: it is over when no feed of the receiver is left that was set apart because of one. Each kind of each property is
-- looked up by the index of open alerts.
with about as materialized (
    select open.alert_id
      from unnest(array['rejected', 'exhausted', 'refused', 'stale', 'digest_mismatch', 'waiting', 'not_acknowledged']) as kind (kind)
     cross join unnest(array_append($2::bigint[] || $4::bigint[], -1)) as property (property_id)
     cross join lateral (
           select a.alert_id from rentsync.alert a
            where a.acked_at is null and a.kind = kind.kind and coalesce(a.receiver, '') = $1
              and coalesce(a.property_id, -1) = property.property_id
           offset 0
           ) as open
)
update rentsync.alert a
   set acked_at = coalesce($3, clock_timestamp())
 where a.alert_id = any (array(select alert_id from about)) and a.acked_at is null
   and (a.kind not in ('waiting', 'not_acknowledged') or a.property_id is not null)
   and case
       when a.kind = 'digest_mismatch' then a.property_id = any ($4)
       when a.kind = 'stale' then a.property_id = any ($2)
       when a.property_id is null then not exists (
           select from rentsync.feed f
            where f.receiver = $1 and (f.bisection is not null or f.bisected_sync is not null or f.cooldown_until is not null))
       when a.kind = 'refused' then not exists (
           select from rentsync.feed f join rentsync.ledger l using (feed_id)
            where f.receiver = $1 and f.property_id = a.property_id and l.withheld = 'refused')
       else not exists (
           select from rentsync.feed f
            where f.receiver = $1 and f.property_id = a.property_id
              and f.bisected_sync is not null)
       end
