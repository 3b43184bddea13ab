-- Plan: what a digest that is not told means, whose session a plan is, and what several statements work out alike.

-- A digest that is told is true: a sync tells none while anything of the property is owed, in doubt or kept back.
comment on column rentsync.sync_feed.digest is 'What the receiver will hold of the property afterwards, as the body says it; null: it says none, because something is left to be told or is kept back.';

-- Whoever takes over from a relay that died in the middle of a plan ends the session that still locks the right.
alter table rentsync.planner add column pid integer, add column session_began timestamptz;
comment on column rentsync.planner.pid is 'The server process of the session that took the right last.';
comment on column rentsync.planner.session_began is 'When that session began: the same number may be another''s later.';

create view rentsync.standing_hold as
select h.hold_id, h.receiver, h.feed_id, h.of_units, kept.units,
       h.gone + case when h.feed_id is null then kept.of_all else kept.units end as removed
  from rentsync.hold h
  cross join lateral (
        select coalesce(sum(w.units) filter (where w.kept_back = case when h.feed_id is null then 'guarded' else 'held' end), 0)::bigint as units,
               coalesce(sum(w.units) filter (where w.kept_back in ('held', 'guarded', 'rejected')), 0)::bigint as of_all
          from (select w.kept_back, w.units from rentsync.withheld w where h.feed_id is not null and w.feed_id = h.feed_id
                 union all
                select w.kept_back, w.units from rentsync.withheld w
                 where h.feed_id is null and w.receiver = h.receiver and w.feed_id is null) as w
        ) as kept
 where h.state = 'open';
comment on view rentsync.standing_hold is 'How each open hold stands: how many removals it keeps back (units), and how many there are with those told within the 24 hours before (removed) of how many units.';

create view rentsync.receiver_backlog as
select r.receiver, feeds.*
  from rentsync.receiver r
 cross join lateral (
       select count(*) as feeds,
              count(*) filter (where f.cursor is null or news.oldest_change is not null or owes.anything) as feeds_behind,
              count(f.rest_until) as feeds_resting,
              count(f.paused_because) as feeds_paused,
              least(min(news.oldest_change), min(given_up.oldest_change), min(f.owed_since)) as oldest_change
         from rentsync.feed f
        cross join lateral (
              select min(change.occurred_at) as oldest_change
                from (select o.occurred_at from rentsync.outbox o
                       where o.property_id = f.property_id and o.xid >= pg_snapshot_xmax(f.cursor)
                       union all
                      select o.occurred_at from pg_snapshot_xip(f.cursor) as running (xid)
                        join rentsync.outbox o on o.property_id = f.property_id and o.xid = running.xid
                       union all
                      select o.occurred_at from rentsync.outbox o
                       where o.property_id is null and o.xid >= pg_snapshot_xmax(f.cursor)
                       union all
                      select o.occurred_at from pg_snapshot_xip(f.cursor) as running (xid)
                        join rentsync.outbox o on o.property_id is null and o.xid = running.xid
                     ) as change
              ) as news
        cross join lateral (
              select f.rest_until is not null or f.property_owed is not null
                  or exists (select from rentsync.ledger l
                              where l.feed_id = f.feed_id and l.owed is not null and l.kept_back is null) as anything
              ) as owes
         left join lateral (
              select min(s.oldest_change) as oldest_change
                from rentsync.sync_feed sf join rentsync.sync s using (sequence)
               where owes.anything and sf.feed_id = f.feed_id and s.state in ('rejected', 'exhausted', 'cancelled')
                 and sf.sequence > coalesce((select max(d.sequence)
                                               from rentsync.sync_feed d join rentsync.sync s using (sequence)
                                              where d.feed_id = f.feed_id and s.state = 'delivered'), 0)
              ) as given_up on true
        where f.receiver = r.receiver
       ) as feeds;
comment on view rentsync.receiver_backlog is 'How far each receiver''s feeds are. A change is not delivered while it lies beyond its feed''s cursor, or in a sync that was given up after the last that was taken, as long as the feed owes anything; open syncs are not looked at. Changes are looked for as a plan does, so that a long transaction costs nothing.';
