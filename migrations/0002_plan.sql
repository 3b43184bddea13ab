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
    probes          integer not null default 0,
    wait_until      timestamptz,
    failures        integer not null default 0,
    concurrency     integer,
    paced_until     timestamptz,
    registered_at   timestamptz not null default clock_timestamp(),
    constraint paused_iff_because check ((paused_at is null) = (paused_because is null)),
    constraint probed_iff_paused  check ((paused_at is null) = (probe_at is null)),
    constraint concurrency_is_at_least_one check (concurrency >= 1)
);
comment on table  rentsync.receiver is 'A configured endpoint, and whether it may be sent to. All relays go by this row.';
comment on column rentsync.receiver.settings is 'Fingerprint of the settings that decide what a unit looks like; a change compares every feed.';
comment on column rentsync.receiver.paused_at is 'Since when its breaker is open: nothing is sealed or sent but probes.';
comment on column rentsync.receiver.probe_at is 'While paused: when one feed is planned and sent to find out whether it answers again; infinity: only by command.';
comment on column rentsync.receiver.probes is 'While paused: probes that failed, one after another.';
comment on column rentsync.receiver.wait_until is 'The receiver asked for silence until then (Retry-After).';
comment on column rentsync.receiver.failures is 'Deliveries in a row that failed in a way that is worth a retry.';
comment on column rentsync.receiver.concurrency is 'How many requests at once it bears at present; null: as many as the settings allow.';
comment on column rentsync.receiver.paced_until is 'When the next request may begin, where requests a second are limited.';

create table rentsync.feed (
    feed_id        bigint generated always as identity primary key,
    receiver       text    not null references rentsync.receiver,
    property_id    bigint  not null,
    external_id    text,
    enabled        boolean not null default true,
    paused_because text,
    cursor         pg_snapshot,
    property_hash  bytea,
    property_owed  text,
    property_sequence bigint,
    digest         bytea   not null default decode(repeat('00', 32), 'hex'),
    units          bigint  not null default 0,
    snapshot_due   text,
    suspect        bigint,
    suspects_waited boolean not null default false,
    halving        bigint,
    halving_accepted boolean not null default false,
    mismatch_at    timestamptz,
    owed_since     timestamptz,
    rest_until     timestamptz,
    rest_because   text,
    enrolled_at    timestamptz not null default clock_timestamp(),
    constraint one_feed_per_receiver_and_property unique (receiver, property_id),
    constraint rests_iff_because check ((rest_until is null) = (rest_because is null)),
    constraint property_hash_is_sha256 check (length(property_hash) = 32),
    constraint digest_is_sha256 check (length(digest) = 32)
) with (fillfactor = 80);
-- The planner walks a receiver's feeds in this order, a batch at a time.
create index feed_walk on rentsync.feed (receiver, feed_id);
create index feed_rest on rentsync.feed (receiver) where rest_until is not null;
comment on table  rentsync.feed is 'One property''s ordered stream to one receiver.';
comment on column rentsync.feed.external_id is 'What the receiver calls the property; null: as the source does.';
comment on column rentsync.feed.enabled is 'False: the receiver is told that every unit is removed.';
comment on column rentsync.feed.paused_because is 'Not null: nothing is planned until `feeds resume`; changes keep gathering.';
comment on column rentsync.feed.cursor is 'Every transaction visible in this snapshot is planned; null: never planned, compare everything.';
comment on column rentsync.feed.property_hash is 'SHA-256 of the property''s own fields as told last.';
comment on column rentsync.feed.property_owed is 'Why the property''s fields must be told whatever their hash; null: they need not be.';
comment on column rentsync.feed.property_sequence is 'The sync that told the property''s fields last.';
comment on column rentsync.feed.digest is 'XOR over the ledger''s units of SHA-256("unit_id:content_hash"): what the receiver should hold.';
comment on column rentsync.feed.units is 'How many units the receiver should hold, those told as unavailable not counted.';
comment on column rentsync.feed.snapshot_due is 'Why its next sync is a snapshot; null: it is a delta.';
comment on column rentsync.feed.suspect is 'Told only together with feeds of the same number: a request about them and others was rejected.';
comment on column rentsync.feed.suspects_waited is 'Its last sync told news while suspect units waited: the next is theirs.';
comment on column rentsync.feed.halving is 'The rejected sync whose units are told again in halves, until the bad ones stand alone.';
comment on column rentsync.feed.halving_accepted is 'Some half was accepted: it is units that are bad, not the property.';
comment on column rentsync.feed.mismatch_at is 'When the receiver''s digest last was another than ours.';
comment on column rentsync.feed.owed_since is 'When the oldest change was made of what it has planned and still owes.';
comment on column rentsync.feed.rest_until is 'After giving up: not planned before then. exhausted: or until the receiver takes anything.';

create table rentsync.ledger (
    feed_id    bigint not null,
    unit_id    bigint not null,
    unit_code  text,
    hash       bytea,
    removed    text,
    sequence   bigint,
    owed       text,
    suspect    bigint,
    kept_back  text,
    kept_back_because text,
    kept_back_hash    bytea,
    kept_back_at      timestamptz,
    content    text,
    codes_before text[],
    primary key (feed_id, unit_id),
    constraint hash_is_sha256 check (length(hash) = 32),
    constraint told_iff_in_a_sync check ((hash is null and removed is null) = (sequence is null)),
    constraint removed_for_a_known_reason check (removed in ('deleted', 'moved', 'property_inactive', 'feed_disabled')),
    constraint owed_for_a_known_reason check (owed in ('in_doubt', 'over_limit', 'removal', 'replay', 'retry', 'retell', 'approved')),
    constraint suspect_only_while_owed check (suspect is null or owed is not null),
    constraint kept_back_for_a_known_reason check (kept_back in ('invalid', 'refused', 'elsewhere', 'held', 'guarded', 'rejected')),
    constraint kept_back_iff_because check ((kept_back is null) = (kept_back_because is null)),
    constraint refused_hash_only_while_refused check (kept_back_hash is null or kept_back = 'refused')
-- Hashes change in place: room on the page keeps the update off the indexes.
) with (fillfactor = 80);
-- In the order in which they are told: what nobody suspects before what is told in halves, what is put off last.
create index ledger_owed on rentsync.ledger (feed_id, (owed = 'removal'), (suspect is not null), suspect, unit_id)
    where owed is not null and kept_back is null;
create index ledger_tombstone on rentsync.ledger (feed_id, sequence) where removed is not null;
create index ledger_kept_back on rentsync.ledger (unit_id) where kept_back is not null;
comment on table  rentsync.ledger is 'Per feed and unit: what the receiver was told last. No reference to feed: it would be checked for every unit told.';
comment on column rentsync.ledger.unit_code is 'As told last; a removal names it, because the receiver may know nothing else.';
comment on column rentsync.ledger.codes_before is 'Other codes that the receiver may still have it under, while what was told last is in doubt or refused; else they mean nothing.';
comment on column rentsync.ledger.hash is 'SHA-256 of the content told last; null: nothing, or a removal.';
comment on column rentsync.ledger.removed is 'The reason of the removal told last: a tombstone until that is acknowledged. With a hash: told as unavailable, for good.';
comment on column rentsync.ledger.sequence is 'The sync that told it.';
comment on column rentsync.ledger.owed is 'Why it must be told at the next plan whatever its hash; null: it need not be. removal: put off until everything living is told; approved: a removal that a person let go.';
comment on column rentsync.ledger.suspect is 'Told only together with units of the same number: a request about them and others was rejected.';
comment on column rentsync.ledger.kept_back is 'Why the source''s present state is not told; invalid: our own check, refused: the receiver''s, elsewhere: another feed still has the unit, held and guarded: its removal waits for a person, rejected: who wants it kept until it is back.';
comment on column rentsync.ledger.kept_back_hash is 'refused: SHA-256 of the refused content; null: its removal was refused.';
comment on column rentsync.ledger.content is 'The unit as told last; kept only for a receiver that is told a removal as an unavailable unit.';

create table rentsync.duplicate (
    feed_id   bigint not null references rentsync.feed,
    unit_code text   not null,
    unit_ids  bigint[] not null,
    since     timestamptz not null,
    primary key (feed_id, unit_code),
    constraint several_units check (cardinality(unit_ids) > 1)
);
comment on table  rentsync.duplicate is 'Codes that several units of one property carry. All of them are told; a person is told of them.';
comment on column rentsync.duplicate.unit_code is 'As the receiver is told it.';
comment on column rentsync.duplicate.unit_ids is 'The units of the source that carry it, told or not.';
comment on column rentsync.duplicate.since is 'When a plan first found that several units carry it.';
