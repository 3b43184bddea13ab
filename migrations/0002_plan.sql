-- Plan: what each receiver was told last, and up to where each feed has looked.

-- Numbers every sync. One sequence for all, so that it rises within every feed.
create sequence rentsync.sync_sequence as bigint;

create table rentsync.receiver (
    receiver        text primary key
        constraint receiver_name_is_an_identifier check (receiver ~ '^[a-z][a-z0-9_]*$'),
    settings        text,
    paused_at       timestamptz,
    paused_because  text,
    probe_at        timestamptz,
    wait_until      timestamptz,
    constraint paused_iff_because check ((paused_at is null) = (paused_because is null)),
    constraint probed_iff_paused  check ((paused_at is null) = (probe_at is null))
);
comment on table  rentsync.receiver is 'A configured endpoint, and whether it may be sent to.';
comment on column rentsync.receiver.settings is 'Fingerprint of the settings that decide what a unit looks like; a change compares every feed.';
comment on column rentsync.receiver.probe_at is 'While paused: when one sync may be sent to find out whether it answers again; infinity: only by command.';
comment on column rentsync.receiver.wait_until is 'The receiver asked for silence until then (Retry-After).';

create table rentsync.feed (
    feed_id        bigint generated always as identity primary key,
    receiver       text    not null references rentsync.receiver,
    property_id    bigint  not null,
    enabled        boolean not null default true,
    paused         boolean not null default false,
    cursor         pg_snapshot,
    property_hash  bytea,
    property_owed  text,
    property_sequence bigint,
    digest         bytea   not null default decode(repeat('00', 32), 'hex'),
    rest_until     timestamptz,
    rest_because   text,
    enrolled_at    timestamptz not null default clock_timestamp(),
    constraint one_feed_per_receiver_and_property unique (receiver, property_id),
    constraint rests_iff_because check ((rest_until is null) = (rest_because is null)),
    constraint rests_for_a_known_reason check (rest_because in ('exhausted', 'rejected')),
    constraint property_hash_is_sha256 check (length(property_hash) = 32),
    constraint digest_is_sha256 check (length(digest) = 32)
) with (fillfactor = 80);
-- The planner walks a receiver's feeds in this order, a batch at a time.
create index feed_walk on rentsync.feed (receiver, feed_id);
create index feed_rest on rentsync.feed (receiver) where rest_until is not null;
comment on table  rentsync.feed is 'One property''s ordered stream to one receiver.';
comment on column rentsync.feed.enabled is 'False: the receiver is told that every unit is removed.';
comment on column rentsync.feed.paused is 'True: nothing is planned; changes keep gathering.';
comment on column rentsync.feed.cursor is 'Every transaction visible in this snapshot is planned; null: never planned, compare everything.';
comment on column rentsync.feed.property_hash is 'SHA-256 of the property''s own fields as told last.';
comment on column rentsync.feed.property_owed is 'Why the property''s fields must be told whatever their hash; null: they need not be.';
comment on column rentsync.feed.property_sequence is 'The sync that told the property''s fields last.';
comment on column rentsync.feed.digest is 'XOR over the ledger''s units of SHA-256("unit_id:content_hash"): what the receiver should hold.';
comment on column rentsync.feed.rest_until is 'After giving up: not planned before then. exhausted: or until the receiver takes anything.';

create table rentsync.ledger (
    feed_id    bigint not null,
    unit_id    bigint not null,
    unit_code  text,
    hash       bytea,
    removed    text,
    sequence   bigint,
    owed       text,
    kept_back  text,
    primary key (feed_id, unit_id),
    constraint hash_is_sha256 check (length(hash) = 32),
    constraint told_content_or_removal_not_both check (hash is null or removed is null),
    constraint told_iff_in_a_sync check ((hash is null and removed is null) = (sequence is null)),
    constraint removed_for_a_known_reason check (removed in ('deleted', 'moved', 'property_inactive', 'feed_disabled')),
    constraint owed_for_a_known_reason check (owed in ('in_doubt', 'over_limit', 'removal'))
-- Hashes change in place: room on the page keeps the update off the indexes.
) with (fillfactor = 80);
-- In the order in which they are told: what lives before what is gone.
create index ledger_owed on rentsync.ledger (feed_id, (owed = 'removal'), unit_id) where owed is not null and kept_back is null;
create index ledger_tombstone on rentsync.ledger (feed_id, sequence) where removed is not null;
comment on table  rentsync.ledger is 'Per feed and unit: what the receiver was told last. No reference to feed: it would be checked for every unit told.';
comment on column rentsync.ledger.unit_code is 'As told last; a removal names it, because the receiver may know nothing else.';
comment on column rentsync.ledger.hash is 'SHA-256 of the content told last; null: nothing, or a removal.';
comment on column rentsync.ledger.removed is 'The reason of the removal told last; the row is a tombstone until that is acknowledged.';
comment on column rentsync.ledger.sequence is 'The sync that told it.';
comment on column rentsync.ledger.owed is 'Why it must be told at the next plan whatever its hash; null: it need not be. removal: put off until everything living is told.';
comment on column rentsync.ledger.kept_back is 'Why the source''s present content is not told.';
