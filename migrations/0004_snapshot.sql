-- Snapshot: what the nightly comparison was, and what it found that no change had announced.

create table rentsync.snapshot_run (
    run_id        bigint generated always as identity primary key,
    receiver      text not null references rentsync.receiver,
    reason        text not null,
    property_id   bigint,
    scheduled_for date,
    started_at    timestamptz not null,
    finished_at   timestamptz,
    feeds         integer not null default 0,
    feeds_done    integer not null default 0,
    units         bigint not null default 0,
    drift         bigint not null default 0,
    failures      integer not null default 0,
    superseded_by bigint references rentsync.snapshot_run,
    constraint scheduled_runs_are_whole check (scheduled_for is null or property_id is null),
    constraint one_scheduled_run_per_night unique (receiver, scheduled_for),
    constraint done_of_feeds check (feeds_done <= feeds)
);
comment on table  rentsync.snapshot_run is 'One comparison of every feed, by schedule or by command; can be watched while it goes.';
comment on column rentsync.snapshot_run.scheduled_for is 'The night it is the scheduled run of, by the receiver''s time zone; null: by command.';
comment on column rentsync.snapshot_run.property_id is 'Only this property; null: all.';
comment on column rentsync.snapshot_run.feeds_done is 'Feeds whose snapshot was delivered or given up.';
comment on column rentsync.snapshot_run.units is 'Units told so far.';
comment on column rentsync.snapshot_run.drift is 'Differences that no change had announced.';
comment on column rentsync.snapshot_run.superseded_by is 'A later run that took feeds of it over before they were done.';
comment on column rentsync.snapshot_run.failures is 'Feeds whose snapshot was given up; they fall back to deltas.';

alter table rentsync.feed add column snapshot_run bigint references rentsync.snapshot_run;
comment on column rentsync.feed.snapshot_run is 'The run that its snapshot belongs to, until that is delivered or given up.';
create index snapshot_run_unfinished on rentsync.snapshot_run (receiver) where finished_at is null;
create index feed_snapshot_run on rentsync.feed (snapshot_run) where snapshot_run is not null;

alter table rentsync.sync add column run_id bigint references rentsync.snapshot_run;
comment on column rentsync.sync.run_id is 'The snapshot run that asked for it.';
create index sync_run on rentsync.sync (run_id) where run_id is not null;

create table rentsync.lineage (
    receiver          text primary key references rentsync.receiver,
    system_identifier bigint,
    database_oid      bigint,
    timeline          text,
    noted_at          timestamptz not null,
    waits_since       timestamptz
);
comment on table  rentsync.lineage is 'The database that each receiver was told from: a restored backup or a promoted standby is another.';
comment on column rentsync.lineage.system_identifier is 'As pg_control_system() has it; null: the server does not say.';
comment on column rentsync.lineage.database_oid is 'Of pg_database: a dump restored into the same cluster is another database there.';
comment on column rentsync.lineage.timeline is 'The first eight digits of a WAL file''s name; null: the server does not say.';
comment on column rentsync.lineage.waits_since is 'Since when this is another database and a person has yet to accept it: `receivers resync`.';

create table rentsync.drift (
    drift_id    bigint generated always as identity primary key,
    run_id      bigint references rentsync.snapshot_run on delete cascade,
    feed_id     bigint not null references rentsync.feed,
    unit_id     bigint,
    ledger_hash bytea,
    source_hash bytea,
    differs     text,
    found_at    timestamptz not null
);
create index drift_run on rentsync.drift (run_id);
comment on table  rentsync.drift is 'A unit that differed though no change was waiting for it: a bypassed trigger, a joined table.';
comment on column rentsync.drift.unit_id is 'Null: the property''s own fields.';
comment on column rentsync.drift.ledger_hash is 'SHA-256 of what the receiver was told last; null: nothing.';
comment on column rentsync.drift.differs is 'The names of the fields that differed, or why they can''t be named; never a value.';
comment on column rentsync.drift.source_hash is 'SHA-256 of what the source had; null: nothing.';
