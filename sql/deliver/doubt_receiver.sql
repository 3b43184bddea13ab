-- Receiver $1 is paused, at $2 (null: now), for an answer that may be one property's. Its row is locked already.
update rentsync.receiver set doubted_at = coalesce($2, clock_timestamp()) where receiver = $1
