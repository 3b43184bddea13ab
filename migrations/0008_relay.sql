-- Relay: which relays live, and which of them plans for a receiver. Rows of our own schema, because an advisory lock can be
-- taken by whoever may connect.

create table rentsync.relay (
    relay_id   bigint generated always as identity primary key,
    name       text        not null,
    receivers  text[]      not null,
    started_at timestamptz not null default clock_timestamp(),
    beat_at    timestamptz not null default clock_timestamp()
-- The beats stay on their page.
) with (fillfactor = 50);
comment on table  rentsync.relay is 'A row for each process that plans or sends. It goes at a clean end; what a killed one left is forgotten after an hour.';
comment on column rentsync.relay.name is 'Host and process, as attempts name it.';
comment on column rentsync.relay.receivers is 'Those that it sends to: the relays that live share a receiver''s places.';
comment on column rentsync.relay.beat_at is 'Refreshed every second. Five seconds after the last beat it counts as dead.';

create view rentsync.live_relay as
select relay_id, name, receivers from rentsync.relay where beat_at > clock_timestamp() - interval '5 seconds';
comment on view rentsync.live_relay is 'Relays that beat within the last five seconds: only their leases count.';

-- No reference to relay: a row of it that goes must not wait for a plan, and a plan must not wait for a beat.
create table rentsync.planner (
    receiver   text   primary key references rentsync.receiver,
    relay_id   bigint,
    fence      bigint not null default 0,
    taken_at   timestamptz,
    planned_at timestamptz,
    marked     bigint not null default 0,
    constraint taken_iff_held check ((relay_id is null) = (taken_at is null))
) with (fillfactor = 50);
comment on table  rentsync.planner is 'The right to plan for a receiver. A plan locks this row from its first statement to its commit, so whoever finds it free of locks finds no plan under way. Heartbeats never touch it: each would fail a plan.';
comment on column rentsync.planner.relay_id is 'Who plans at this moment; null: nobody.';
comment on column rentsync.planner.fence is 'Rises whenever the right is taken: a plan that lost it meanwhile finds another number and does nothing.';
comment on column rentsync.planner.taken_at is 'Since when. After five seconds without a plan that holds the row it is anybody''s.';
comment on column rentsync.planner.planned_at is 'When a plan last came to its end, whether or not it sealed anything; null: never.';
comment on column rentsync.planner.marked is 'Rises whenever a command marks what is owed behind a plan''s back: a plan that waited for that starts anew.';
insert into rentsync.planner (receiver) select receiver from rentsync.receiver;

alter table rentsync.sync add column relay_id bigint;
comment on column rentsync.sync.relay_id is 'The relay that leased it last: its lease is over as soon as that one is dead. Null: a release before this column.';
