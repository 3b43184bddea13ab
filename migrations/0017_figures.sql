-- Figures: what a feed has yet to plan is asked in one way, and what a scrape is told is kept with each change, so that a scrape
-- reads no more than one look at each feed.

-- A function and not a view: it is asked of one property and one cursor, and becomes part of the statement that asks. What it costs
-- is decided by which index is taken: by transaction alone a feed would be asked for everybody's changes. So the property is a range
-- of one, and so is each running transaction: a range with two unknown ends is taken for a narrow one, whatever the statistics say
-- of how many properties there are and how much a transaction writes. And each of these is looked for by itself: joined, or as an
-- array, one that is open for long had everything read that is kept. Conditions without a column are asked before any index is; the
-- newest change of every property is asked for by the order that only the index with both columns has.
create function rentsync.news(of_property bigint, planned pg_snapshot)
returns table (xid xid8, occurred_at timestamptz, op text, unit_ids bigint[])
language sql stable as $$
    select o.xid, o.occurred_at, o.op, o.unit_ids
      from rentsync.outbox o
     where o.property_id >= of_property and o.property_id <= of_property and o.xid >= pg_snapshot_xmax(planned)
     union all
    select o.xid, o.occurred_at, o.op, o.unit_ids
      from pg_snapshot_xip(planned) as running (xid)
     cross join lateral (
           select * from rentsync.outbox o
            where o.property_id >= of_property and o.property_id <= of_property and o.xid >= running.xid and o.xid <= running.xid
            order by o.property_id, o.xid
           offset 0
           ) as o
     union all
    select o.xid, o.occurred_at, o.op, o.unit_ids
      from rentsync.outbox o
     where pg_snapshot_xmax(planned) <= (select e.xid from rentsync.outbox e where e.property_id is null order by e.property_id desc, e.xid desc limit 1)
       and o.property_id is null and o.xid >= pg_snapshot_xmax(planned)
     union all
    select o.xid, o.occurred_at, o.op, o.unit_ids
      from pg_snapshot_xip(planned) as running (xid)
     cross join lateral (
           select * from rentsync.outbox o where o.property_id is null and o.xid >= running.xid and o.xid <= running.xid offset 0
           ) as o
     where pg_snapshot_xmin(planned) <= (select e.xid from rentsync.outbox e where e.property_id is null order by e.property_id desc, e.xid desc limit 1)
$$;
comment on function rentsync.news(bigint, pg_snapshot) is 'The changes of one property, those of every property with them, that a cursor does not see. Looked for beyond the cursor and among the transactions that ran when it was taken, so that it costs what is new, however long one of them runs. Part of the statement that asks.';

-- Not the same with a limit: a look at each of many feeds, of which hardly one has news, costs what the plan has of steps.
create function rentsync.first_news(of_property bigint, planned pg_snapshot)
returns table (occurred_at timestamptz)
language sql stable as $$
    select least(
        (select o.occurred_at
           from rentsync.outbox o
          where o.property_id >= of_property and o.property_id <= of_property and o.xid >= pg_snapshot_xmax(planned)
          order by o.property_id, o.xid
          limit 1),
        case when pg_snapshot_xmin(planned) < pg_snapshot_xmax(planned)
             then (select min(o.occurred_at)
                     from pg_snapshot_xip(planned) as running (xid)
                    cross join lateral (
                          select o.occurred_at
                            from rentsync.outbox o
                           where o.property_id >= of_property and o.property_id <= of_property
                             and o.xid >= running.xid and o.xid <= running.xid
                           order by o.property_id, o.xid
                          offset 0
                          ) as o) end,
        case when pg_snapshot_xmin(planned) < pg_snapshot_xmax(planned)
              and pg_snapshot_xmin(planned) <= (select e.xid from rentsync.outbox e where e.property_id is null order by e.property_id desc, e.xid desc limit 1)
             then (select min(o.occurred_at)
                     from pg_snapshot_xip(planned) as running (xid)
                    cross join lateral (
                          select o.occurred_at from rentsync.outbox o where o.property_id is null and o.xid >= running.xid and o.xid <= running.xid offset 0
                          ) as o) end,
        case when pg_snapshot_xmax(planned) <= (select e.xid from rentsync.outbox e where e.property_id is null order by e.property_id desc, e.xid desc limit 1)
             then (select o.occurred_at
                     from rentsync.outbox o
                    where o.property_id is null and o.xid >= pg_snapshot_xmax(planned)
                    order by o.property_id, o.xid
                    limit 1) end)
$$;
comment on function rentsync.first_news(bigint, pg_snapshot) is 'When the first of these changes was made, by transaction; null: there are none. However many there are, it reads one of those beyond the cursor.';

-- What is owed is counted as what is kept back is: by the same triggers, in the same rows.
lock table rentsync.ledger in share row exclusive mode;
create or replace function rentsync.count_withheld() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $body$
declare
    feeds bigint[];
    kinds text[];
    units bigint[];
begin
    if tg_op = 'INSERT' then
        select array_agg(c.feed_id), array_agg(c.kind), array_agg(c.units) into feeds, kinds, units
          from (select w.feed_id, coalesce(w.kept_back, w.owed) as kind, count(*) as units from written w
                 where coalesce(w.kept_back, w.owed) is not null group by 1, 2) as c;
    elsif tg_op = 'DELETE' then
        select array_agg(c.feed_id), array_agg(c.kind), array_agg(c.units) into feeds, kinds, units
          from (select s.feed_id, coalesce(s.kept_back, s.owed) as kind, -count(*) as units from stood s
                 where coalesce(s.kept_back, s.owed) is not null group by 1, 2) as c;
    else
        select array_agg(c.feed_id), array_agg(c.kind), array_agg(c.units) into feeds, kinds, units
          from (select b.feed_id, b.kind, sum(b.units)::bigint as units
                  from (select w.feed_id, coalesce(w.kept_back, w.owed) as kind, 1 as units from written w
                         where coalesce(w.kept_back, w.owed) is not null
                         union all
                        select s.feed_id, coalesce(s.kept_back, s.owed), -1 from stood s
                         where coalesce(s.kept_back, s.owed) is not null) as b
                 group by 1, 2 having sum(b.units) <> 0) as c;
    end if;
    if feeds is not null then
        with change as materialized (
            select f.receiver, c.feed_id, c.kind, c.units
              from unnest(feeds, kinds, units) as c (feed_id, kind, units)
              join rentsync.feed f using (feed_id)
        )
        insert into rentsync.withheld (receiver, feed_id, kept_back, units)
        select c.receiver, c.feed_id, c.kind, c.units from change c
         union all
        select c.receiver, null, c.kind, sum(c.units) from change c group by c.receiver, c.kind;
    end if;
    return null;
end
$body$;

-- One list of what counts as owed and not as kept back, for those who ask the counts.
create function rentsync.is_owed(kind text) returns boolean immutable language sql
    return kind in ('in_doubt', 'over_limit', 'removal', 'replay', 'retry', 'retell', 'approved');
comment on function rentsync.is_owed(text) is 'Whether a kind of rentsync.withheld is a reason to tell a unit, and not one to keep it back.';

with owed as materialized (
    select f.receiver, l.feed_id, l.owed, count(*) as units
      from rentsync.ledger l join rentsync.feed f using (feed_id)
     where l.owed is not null and l.kept_back is null
     group by f.receiver, l.feed_id, l.owed
)
insert into rentsync.withheld (receiver, feed_id, kept_back, units)
select receiver, feed_id, owed, units from owed
 union all
select receiver, null, owed, sum(units) from owed group by receiver, owed;
comment on table  rentsync.withheld is 'How many units each feed keeps back and why, and how many it owes and why: the sum of its rows. Written by the ledger''s triggers.';
comment on column rentsync.withheld.kept_back is 'As the ledger has it; of a unit that is not kept back what the ledger says it is owed for.';

-- Whoever settles has locked the receiver's row before: nobody waits for these.
create table rentsync.attempt_count (
    receiver       text        not null references rentsync.receiver,
    outcome        text        not null,
    minute_of_hour integer     not null,
    began          timestamptz not null,
    tries          bigint      not null,
    primary key (receiver, outcome, minute_of_hour),
    constraint minutes_go_round check (minute_of_hour between 0 and 59)
) with (fillfactor = 50);
comment on table  rentsync.attempt_count is 'How many tries began in each minute of the last hour, by outcome. A row is used again an hour later, so there is nothing to prune.';
comment on column rentsync.attempt_count.minute_of_hour is 'Of began, in UTC.';
comment on column rentsync.attempt_count.began is 'The minute that it counts; one of more than an hour ago counts no longer.';
insert into rentsync.attempt_count (receiver, outcome, minute_of_hour, began, tries)
select s.receiver, a.outcome, extract(minute from a.started_at at time zone 'UTC'), date_trunc('minute', a.started_at), count(*)
  from rentsync.attempt a join rentsync.sync s using (sequence)
 where a.outcome is not null and a.started_at between clock_timestamp() - interval '59 minutes' and clock_timestamp()
 group by 1, 2, 3, 4;

-- Since when a feed owes anything is noted wherever it begins to: a new one owes everything. So nobody has to ask its syncs.
alter table rentsync.feed alter column owed_since set default clock_timestamp();
comment on column rentsync.feed.owed_since is 'When the oldest change was made of what it has planned and still owes; of one that was never planned, when it was enrolled.';
create function rentsync.taken_last(of_feed bigint) returns bigint stable language plpgsql as $body$
begin
    return (select max(d.sequence) from rentsync.sync_feed d join rentsync.sync s using (sequence)
             where d.feed_id = of_feed and s.state = 'delivered');
end
$body$;
update rentsync.feed f
   set owed_since = least(
           f.owed_since,
           (select min(s.oldest_change)
              from rentsync.sync_feed sf join rentsync.sync s using (sequence)
             where sf.feed_id = f.feed_id and sf.sequence > coalesce(rentsync.taken_last(f.feed_id), 0)
               and s.state in ('rejected', 'exhausted', 'cancelled')),
           case when rentsync.taken_last(f.feed_id) is null then f.enrolled_at end)
 where f.cursor is null or f.rest_until is not null or f.property_owed is not null
    or exists (select from rentsync.ledger l where l.feed_id = f.feed_id and l.owed is not null and l.kept_back is null);
update rentsync.sync s
   set oldest_change = (select min(f.enrolled_at) from rentsync.sync_feed sf join rentsync.feed f using (feed_id)
                         where sf.sequence = s.sequence and rentsync.taken_last(f.feed_id) is null)
 where s.state = 'open' and s.oldest_change is null;
drop function rentsync.taken_last(bigint);

drop view rentsync.receiver_backlog;
create view rentsync.receiver_backlog as
select r.receiver, feeds.feeds, feeds.feeds_behind, feeds.feeds_resting, feeds.feeds_paused, feeds.units_told,
       counted.units_owed, counted.units_replayed, counted.units_kept_back,
       open.syncs as open_syncs, open.next_try, least(feeds.oldest_change, open.oldest_change) as oldest_change, last.delivered as last_delivered
  from rentsync.receiver r
 cross join lateral (
       select coalesce(sum(w.units) filter (where rentsync.is_owed(w.kept_back)), 0)::bigint as units_owed,
              coalesce(sum(w.units) filter (where w.kept_back = 'replay'), 0)::bigint as units_replayed,
              coalesce(sum(w.units) filter (where not rentsync.is_owed(w.kept_back)), 0)::bigint as units_kept_back
         from rentsync.withheld w
        where w.receiver = r.receiver and w.feed_id is null
       ) as counted
 cross join lateral (
       select count(*) as feeds,
              count(*) filter (where f.first_change is not null or f.owes) as feeds_behind,
              count(f.rest_until) as feeds_resting,
              count(f.paused_because) as feeds_paused,
              coalesce(sum(f.units), 0)::bigint as units_told,
              least(min(f.first_change), min(f.owed_since) filter (where f.owes)) as oldest_change
         from (select f.units, f.rest_until, f.paused_because, f.owed_since, first.occurred_at as first_change,
                      f.cursor is null or f.rest_until is not null or f.property_owed is not null
                      or counted.units_owed > 0 and f.feed_id in (
                         select w.feed_id
                           from rentsync.withheld w
                          where w.feed_id is not null and rentsync.is_owed(w.kept_back)
                          group by w.feed_id having sum(w.units) > 0) as owes
                 from rentsync.feed f
                cross join lateral rentsync.first_news(f.property_id, f.cursor) as first
                where f.receiver = r.receiver
               offset 0) as f
       ) as feeds
 cross join lateral (
       select count(*) as syncs, min(s.due_at) as next_try, min(s.oldest_change) as oldest_change
         from rentsync.sync s
        where s.receiver = r.receiver and s.state = 'open'
       ) as open
  left join lateral (
       select s.settled_at as delivered
         from rentsync.sync s
        where s.receiver = r.receiver and s.state = 'delivered'
        order by s.settled_at desc
        limit 1
       ) as last on true;
comment on view rentsync.receiver_backlog is 'How far each receiver is. A change is not delivered while it lies beyond its feed''s cursor, is owed by its feed, or is in an open sync. Costs a look at each feed and what is open: neither the ledger, nor what is over, nor all that waits for a feed is read.';
