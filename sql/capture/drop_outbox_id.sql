-- The outbox needs no number of its own: a role that might set the sequence behind it could have every write of the source fail.
-- Waits for writers for as long as lock_timeout allows, and they for it; the caller tries again.
alter table rentsync.outbox drop column if exists id
