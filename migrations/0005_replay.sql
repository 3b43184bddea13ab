-- Replay: how far back it can be asked for, and what it needs beside syncs and outbox. Prune: what it goes by.

create table rentsync.horizon (
    only_one      boolean primary key default true check (only_one),
    pruned_before timestamptz not null
);
comment on table rentsync.horizon is 'How far back a replay can go. One row, always.';
comment on column rentsync.horizon.pruned_before is
    'Outbox rows and syncs older than this may have been pruned; -infinity: nothing was yet.';
insert into rentsync.horizon (pruned_before) values ('-infinity');

-- A receiver that was set back may hold such a unit again, and may know it by its code alone.
create table rentsync.buried (
    feed_id   bigint not null,
    unit_id   bigint not null,
    unit_code text,
    sequence  bigint not null,
    buried_at timestamptz not null,
    primary key (feed_id, unit_id)
);
create index buried_at on rentsync.buried (buried_at);
comment on table  rentsync.buried is 'Removals that were acknowledged, so that a replay can tell them again; gone after retention.syncs.';
comment on column rentsync.buried.unit_code is 'As told last.';
comment on column rentsync.buried.sequence is 'The sync that told the removal.';

alter table rentsync.sync add column redelivered_at timestamptz;
comment on column rentsync.sync.redelivered_at is 'When `redeliver` opened it again; null: never.';
-- What is pruned is the oldest of what is over.
create index sync_over on rentsync.sync (settled_at) where settled_at is not null;
