-- Deliver: sealed syncs, one row for each try, and what a person should know.

create table rentsync.sync (
    sequence      bigint primary key,
    sync_id       text   not null constraint sync_id_is_unique unique,
    receiver      text   not null references rentsync.receiver,
    sync_type     text   not null constraint sync_type_is_known check (sync_type in ('delta', 'snapshot', 'replay')),
    state         text   not null default 'open'
        constraint state_is_known check (state in ('waiting', 'open', 'delivered', 'rejected', 'exhausted', 'cancelled')),
    snapshot_id   uuid,
    part          integer not null default 1,
    parts         integer not null default 1,
    probe         boolean not null default false,
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
    constraint settled_iff_over  check ((state in ('waiting', 'open')) = (settled_at is null)),
    constraint leased_only_while_open check (state = 'open' or leased_until is null),
    constraint snapshot_iff_id   check ((sync_type = 'snapshot') = (snapshot_id is not null)),
    constraint part_of_parts     check (part between 1 and parts),
    constraint parts_only_of_a_snapshot check (parts = 1 or sync_type = 'snapshot')
);
-- Bodies are compressed before they come here.
alter table rentsync.sync alter column body set storage external;
create index sync_due on rentsync.sync (receiver, due_at) where state = 'open';
create index sync_waiting on rentsync.sync (snapshot_id, part) where state = 'waiting';
create index sync_settled on rentsync.sync (receiver, settled_at) where state = 'delivered';
comment on table  rentsync.sync is 'A sealed body under one sync ID; never changed, however often it is sent.';
comment on column rentsync.sync.state is 'waiting: a snapshot''s later part, sent after the ones before it; cancelled: given up because the receiver was.';
comment on column rentsync.sync.snapshot_id is 'Common to the parts of one snapshot.';
comment on column rentsync.sync.probe is 'Sealed to find out whether a paused receiver answers again: one try.';
comment on column rentsync.sync.body is 'The JSON body, gzip; body_bytes is its size before that. `syncs show --body` prints it.';
comment on column rentsync.sync.oldest_change is 'When the oldest change in it was made; null where no change asked for it.';
comment on column rentsync.sync.lease is 'Rises each time a relay takes it; a failure counts only under the newest.';
comment on column rentsync.sync.lost is 'Leases that ended without any outcome, one after another.';
comment on column rentsync.sync.attempts is 'Tries that count against the schedule.';

create table rentsync.sync_feed (
    sequence bigint  not null references rentsync.sync on delete cascade,
    feed_id  bigint  not null references rentsync.feed,
    is_open  boolean not null,
    units    bigint[] not null default '{}',
    gone     bigint[] not null default '{}',
    digest   bytea,
    digest_said text,
    primary key (sequence, feed_id)
);
create unique index one_open_sync_per_feed on rentsync.sync_feed (feed_id) where is_open;
-- What a feed was told last.
create index sync_feed_newest on rentsync.sync_feed (feed_id, sequence);
comment on table  rentsync.sync_feed is 'Which feeds a sync is about; more than one only where a request tells all properties.';
comment on column rentsync.sync_feed.units is 'The units it tells, those told as unavailable with them.';
comment on column rentsync.sync_feed.gone is 'The units it tells as gone, in words or by absence.';
comment on column rentsync.sync_feed.digest is 'What the receiver should hold of the property afterwards.';
comment on column rentsync.sync_feed.digest_said is 'What its answer says that it holds.';
comment on column rentsync.sync_feed.is_open is 'The feed waits for this sync: it has no other that is open.';

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
create index attempt_started on rentsync.attempt (started_at);
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
create index alert_last on rentsync.alert (last_at);
comment on table rentsync.alert is 'What a person should know; the same thing again only counts up until it is acknowledged.';

create table rentsync.alert_post (
    kind      text not null,
    receiver  text not null,
    told_at   timestamptz,
    due_at    timestamptz not null,
    primary key (kind, receiver)
);
comment on table  rentsync.alert_post is 'What the webhook knows of alerts of a kind about a receiver.';
comment on column rentsync.alert_post.told_at is 'When the newest alert that was posted was raised last; null: none was posted yet.';
comment on column rentsync.alert_post.due_at is 'Nothing is posted before: an hour after a post; a minute after a relay took it on, should it fail or die.';
