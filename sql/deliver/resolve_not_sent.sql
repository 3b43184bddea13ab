-- Relay $2 sends to receiver $1 again, at $3 (null: now): the alert that it could not is over. Another relay that lives and can't keeps
-- its own, which its message begins with. Locks that row.
update rentsync.alert a
   set acked_at = coalesce($3, clock_timestamp())
 where a.receiver = $1 and a.kind = 'not_sent' and a.acked_at is null
   and not exists (select from rentsync.live_relay live
                    where live.name <> $2 and starts_with(a.message, 'relay ' || live.name || ' '))
