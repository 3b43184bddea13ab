-- Whether a receiver is paused, by its breaker or by a person.
-- $1 receiver
select exists (select from rentsync.receiver where receiver = $1 and paused_at is not null)
