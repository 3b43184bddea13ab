-- Relay $1 ends: what it may still have leased is free at once.
delete from rentsync.relay where relay_id = $1
