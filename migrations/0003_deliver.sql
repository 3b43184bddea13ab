-- Deliver: sealed syncs, one row for each try, and what a person should know.

create table rentsync.sync (
    sequence      bigint primary key,
    sync_id       text   not null constraint sync_id_is_unique unique,
    feed_id       bigint not null references rentsync.feed,
    receiver      text   not null,
    sync_type     text   not null constraint sync_type_is_known check (sync_type in ('delta', 'snapshot', 'replay')),
    state         text   not null default 'open'
        constraint state_is_known check (state in ('open', 'delivered', 'rejected', 'exhausted')),
    units         integer not null,
    removed_units integer not null,
    body_bytes    integer not null,
    body          bytea  not null,
    oldest_change timestamptz,
    sealed_at     timestamptz not null,
    due_at        timestamptz,
    lease         integer not null default 0,
    leased_until  timestamptz,
    lost          integer not null default 0,
    attempts      integer not null default 0,
    settled_at    timestamptz,
    constraint due_iff_open      check ((state = 'open') = (due_at is not null)),
    constraint settled_iff_not_open check ((state = 'open') = (settled_at is null)),
    constraint leased_only_while_open check (state = 'open' or leased_until is null)
);
-- Bodies are compressed before they come here.
alter table rentsync.sync alter column body set storage external;
create unique index one_open_sync_per_feed on rentsync.sync (feed_id) where state = 'open';
-- What a feed was told last.
create index sync_feed on rentsync.sync (feed_id, sequence);
create index sync_due on rentsync.sync (receiver, due_at) where state = 'open';
comment on table  rentsync.sync is 'A sealed body under one sync ID; never changed, however often it is sent.';
comment on column rentsync.sync.body is 'The JSON body, gzip; body_bytes is its size before that. `syncs show --body` prints it.';
comment on column rentsync.sync.oldest_change is 'When the oldest change in it was made; null where no change asked for it.';
comment on column rentsync.sync.lease is 'Rises each time a relay takes it; a failure counts only under the newest.';
comment on column rentsync.sync.lost is 'Leases that ended without any outcome, one after another.';
comment on column rentsync.sync.attempts is 'Tries that count against the schedule.';

create table rentsync.attempt (
    sequence    bigint  not null references rentsync.sync on delete cascade,
    lease       integer not null,
    relay       text    not null,
    started_at  timestamptz not null,
    finished_at timestamptz,
    outcome     text,
    status      integer,
    error       text,
    answer      text,
    primary key (sequence, lease),
    constraint finished_iff_outcome check ((finished_at is null) = (outcome is null))
);
comment on table  rentsync.attempt is 'One row a try, written before anything is sent.';
comment on column rentsync.attempt.relay is 'Host and process that made it.';
comment on column rentsync.attempt.outcome is 'What the relay made of it; null: under way, or its relay died.';
comment on column rentsync.attempt.answer is 'The beginning of the receiver''s answer. May quote the body; not logged.';

create table rentsync.alert (
    alert_id    bigint generated always as identity primary key,
    kind        text   not null,
    receiver    text,
    property_id bigint,
    message     text   not null,
    times       integer not null default 1,
    raised_at   timestamptz not null,
    last_at     timestamptz not null,
    acked_at    timestamptz
);
create unique index one_open_alert_per_kind on rentsync.alert
    (kind, coalesce(receiver, ''), coalesce(property_id, -1)) where acked_at is null;
comment on table rentsync.alert is 'What a person should know; the same thing again only counts up until it is acknowledged.';
