-- Whether receiver $1 is paused, by its breaker or by a person. Reads only.
select exists (select from rentsync.receiver where receiver = $1 and paused_at is not null)
