-- Waits: a receiver that answers 429 again and again is counted as a whole, since all of its syncs wait together.

alter table rentsync.receiver add column waits integer not null default 0;
alter table rentsync.receiver add column waiting_since timestamptz;
comment on column rentsync.receiver.waits is 'How often it answered 429 since it last took anything: the step of the schedule that the next wait lasts.';
comment on column rentsync.receiver.waiting_since is 'When it first did so since it last took anything; null where it did not.';
