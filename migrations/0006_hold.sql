-- Hold: removals that wait for a person.

-- A hold that grows gets a new number, so that whoever approves names what was shown.
create sequence rentsync.hold_sequence as bigint;

create table rentsync.hold (
    hold_id    bigint primary key default nextval('rentsync.hold_sequence'),
    receiver   text   not null references rentsync.receiver,
    feed_id    bigint references rentsync.feed,
    state      text   not null default 'open'
        constraint state_is_known check (state in ('open', 'approved', 'rejected', 'cleared')),
    units      bigint not null,
    gone       bigint not null,
    of_units   bigint not null,
    opened_at  timestamptz not null,
    grown_at   timestamptz not null,
    settled_at timestamptz,
    constraint settled_unless_open check ((state = 'open') = (settled_at is null))
);
create unique index one_open_hold on rentsync.hold (receiver, coalesce(feed_id, -1)) where state = 'open';
create index hold_settled on rentsync.hold (settled_at) where settled_at is not null;
comment on table  rentsync.hold is 'Removals kept back until a person approves them. Its units are those that the ledger says are held (of its feed) or guarded.';
comment on column rentsync.hold.hold_id is 'Changes whenever units join, never when one leaves.';
comment on column rentsync.hold.feed_id is 'null: a hold over the receiver as a whole.';
comment on column rentsync.hold.state is 'cleared: by itself, because units came back, or settings allow what was left.';
comment on column rentsync.hold.units is 'Removals that it held when one joined last; when it was decided about, those that were left.';
comment on column rentsync.hold.gone is 'Removals told within the 24 hours before that, not counting those that a person approved.';
comment on column rentsync.hold.of_units is 'How many units there were when those 24 hours began.';
comment on column rentsync.hold.grown_at is 'When a unit joined last.';

create table rentsync.removed (
    feed_id      bigint not null references rentsync.feed,
    sequence     bigint not null,
    receiver     text   not null,
    told_at      timestamptz not null,
    units        bigint not null,
    uncovered    bigint not null,
    units_before bigint not null,
    primary key (feed_id, sequence)
);
create index removed_recently on rentsync.removed (receiver, told_at);
comment on table  rentsync.removed is 'How many removals each sync told for the first time, without those that a person approved: what holds go by. Pruned with the syncs.';
comment on column rentsync.removed.units is 'Deleted or moved.';
comment on column rentsync.removed.uncovered is 'Property inactive or outside the portfolio, or its feed disabled.';
comment on column rentsync.removed.units_before is 'Units that the receiver should have held before.';

-- Both kinds of what waits for a person.
create index ledger_held on rentsync.ledger (feed_id) where kept_back in ('held', 'guarded');

create function rentsync.kept_because(hold_id bigint) returns text immutable language sql
    return 'a person wants it kept (hold ' || hold_id || ')';
comment on function rentsync.kept_because is 'What the ledger says of a unit whose removal was rejected.';

create view rentsync.held_unit as
select h.hold_id, h.receiver, h.state, f.feed_id, f.property_id, l.unit_id, l.unit_code, l.kept_back_at as since
  from rentsync.hold h
  join rentsync.feed f on f.receiver = h.receiver and f.feed_id = coalesce(h.feed_id, f.feed_id)
  join rentsync.ledger l on l.feed_id = f.feed_id and l.kept_back in ('held', 'guarded')
                        and l.kept_back = case when h.feed_id is null then 'guarded' else 'held' end
 where h.state = 'open'
 union all
select h.hold_id, h.receiver, h.state, f.feed_id, f.property_id, l.unit_id, l.unit_code, l.kept_back_at
  from rentsync.hold h
  join rentsync.feed f on f.receiver = h.receiver and f.feed_id = coalesce(h.feed_id, f.feed_id)
  join rentsync.ledger l on l.feed_id = f.feed_id and l.kept_back = 'rejected'
                        and l.kept_back_because = rentsync.kept_because(h.hold_id)
 where h.state = 'rejected';
comment on view rentsync.held_unit is 'The units of each hold: removals that wait for a person, or that one rejected and whose unit is not back yet.';

create function rentsync.holds_over(text, bigint, bigint, bigint, bigint)
returns table (hold_id bigint, feed_id bigint, property_id bigint, units bigint) stable language sql as $body$
    with standing as (
        select h.hold_id, h.feed_id, h.of_units, count(u.unit_id) as units,
               h.gone + case when h.feed_id is null
                             then (select count(*) from rentsync.held_unit kept where kept.receiver = $1)
                             else count(u.unit_id) end as removed,
               case when h.feed_id is null then $4 else $2 end as units_min,
               case when h.feed_id is null then $5 else $3 end as percent_max
          from rentsync.hold h
          left join rentsync.held_unit u using (hold_id)
         where h.receiver = $1 and h.state = 'open'
         group by h.hold_id
    )
    select s.hold_id, s.feed_id, f.property_id, s.units
      from standing s
      left join rentsync.feed f using (feed_id)
     where s.units = 0 or s.percent_max = 100 or s.removed < s.units_min or s.removed * 100 <= s.of_units * s.percent_max
$body$;
comment on function rentsync.holds_over is 'The open holds of receiver $1 that need nobody any more, by the settings $2 to $5: units and percent of a feed, of the receiver. The one over the whole goes by all that waits or that a person wants kept.';
