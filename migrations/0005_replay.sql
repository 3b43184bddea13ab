-- Replay: how far back it can be asked for.

create table rentsync.horizon (
    only_one      boolean primary key default true check (only_one),
    pruned_before timestamptz not null
);
comment on table rentsync.horizon is 'Outbox rows and syncs older than this may have been pruned; nothing can be replayed from before it.';
