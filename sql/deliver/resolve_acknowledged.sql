-- Receiver $1 acknowledged something, at $2 (null: now): it is the receiver that answers, and it is not waited for, unless
-- something that was under way came back after it had asked for silence; what is one property's is
-- another matter. Locks the alerts that are over by that.
update rentsync.alert a
   set acked_at = coalesce($2, clock_timestamp())
 where a.receiver = $1 and a.kind in ('not_acknowledged', 'waiting') and a.acked_at is null
   and a.property_id is null
   and (a.kind <> 'waiting'
     or not exists (select from rentsync.receiver r where r.receiver = $1 and r.wait_until > coalesce($2, clock_timestamp())))
