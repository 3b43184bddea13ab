-- Counts: what holds, alerts and metrics go by is kept with each change, instead of counted again for each batch. What it
-- costs follows what a statement changes, not what the ledger has.

-- Rows are only added, so that counting never waits and never fails: a relay that settles an answer counts while another
-- plans. The planner puts the rows of what it plans together again.
create table rentsync.withheld (
    receiver  text   not null,
    feed_id   bigint,
    kept_back text   not null,
    units     bigint not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index withheld_of_feed on rentsync.withheld (feed_id, kept_back);
create index withheld_of_receiver on rentsync.withheld (receiver, kept_back) where feed_id is null;
create index withheld_by_kind on rentsync.withheld (receiver, kept_back, feed_id) where feed_id is not null;
comment on table  rentsync.withheld is 'How many units each feed keeps back and why: the sum of its rows. Written by the ledger''s triggers.';
comment on column rentsync.withheld.feed_id is 'null: of all the receiver''s feeds together.';
comment on column rentsync.withheld.kept_back is 'As the ledger has it.';
comment on column rentsync.withheld.units is 'So many more than the other rows say, or fewer.';

-- A trigger, and not a part of each statement: a dozen statements decide about a unit, those of later releases with them, and
-- one that forgot to count would let removals through that a person has to see. Where nothing kept back changes it costs a look
-- at the rows that were written, some 0.2 µs each.
create function rentsync.count_withheld() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $body$
declare
    feeds bigint[];
    kinds text[];
    units bigint[];
begin
    if tg_op = 'INSERT' then
        select array_agg(c.feed_id), array_agg(c.kept_back), array_agg(c.units) into feeds, kinds, units
          from (select w.feed_id, w.kept_back, count(*) as units from written w
                 where w.kept_back is not null group by w.feed_id, w.kept_back) as c;
    elsif tg_op = 'DELETE' then
        select array_agg(c.feed_id), array_agg(c.kept_back), array_agg(c.units) into feeds, kinds, units
          from (select s.feed_id, s.kept_back, -count(*) as units from stood s
                 where s.kept_back is not null group by s.feed_id, s.kept_back) as c;
    else
        select array_agg(c.feed_id), array_agg(c.kept_back), array_agg(c.units) into feeds, kinds, units
          from (select b.feed_id, b.kept_back, sum(b.units)::bigint as units
                  from (select w.feed_id, w.kept_back, 1 as units from written w where w.kept_back is not null
                         union all
                        select s.feed_id, s.kept_back, -1 from stood s where s.kept_back is not null) as b
                 group by b.feed_id, b.kept_back having sum(b.units) <> 0) as c;
    end if;
    if feeds is not null then
        with change as materialized (
            select f.receiver, c.feed_id, c.kept_back, c.units
              from unnest(feeds, kinds, units) as c (feed_id, kept_back, units)
              join rentsync.feed f using (feed_id)
        )
        insert into rentsync.withheld (receiver, feed_id, kept_back, units)
        select c.receiver, c.feed_id, c.kept_back, c.units from change c
         union all
        select c.receiver, null, c.kept_back, sum(c.units) from change c group by c.receiver, c.kept_back;
    end if;
    return null;
end
$body$;
comment on function rentsync.count_withheld is 'Keeps rentsync.withheld right, whatever writes to the ledger.';

create trigger count_insert after insert on rentsync.ledger
    referencing new table as written for each statement execute function rentsync.count_withheld();
create trigger count_update after update on rentsync.ledger
    referencing new table as written old table as stood for each statement execute function rentsync.count_withheld();
create trigger count_delete after delete on rentsync.ledger
    referencing old table as stood for each statement execute function rentsync.count_withheld();

insert into rentsync.withheld (receiver, feed_id, kept_back, units)
select f.receiver, l.feed_id, l.kept_back, count(*)
  from rentsync.ledger l join rentsync.feed f using (feed_id)
 where l.kept_back is not null
 group by f.receiver, l.feed_id, l.kept_back
 union all
select f.receiver, null, l.kept_back, count(*)
  from rentsync.ledger l join rentsync.feed f using (feed_id)
 where l.kept_back is not null
 group by f.receiver, l.kept_back;

-- Whether a hold grew since a person was told.
create index hold_grown on rentsync.hold (receiver, grown_at) where state = 'open';

alter table rentsync.feed add column of_units bigint not null default 0;
comment on column rentsync.feed.of_units is 'How many units it had when the last 24 hours began, as far as rentsync.removed goes back; what a person approved is not among them.';

create table rentsync.receiver_count (
    receiver   text primary key references rentsync.receiver,
    of_units   bigint not null default 0,
    gone       bigint not null default 0,
    ahead      bigint not null default 0,
    ahead_seen pg_snapshot,
    doubted_at timestamptz
) with (fillfactor = 50);
comment on table  rentsync.receiver_count is 'What the hold over the whole goes by. Written by the planner alone; counted again when a relay starts.';
comment on column rentsync.receiver_count.of_units is 'The sum over its feeds.';
comment on column rentsync.receiver_count.gone is 'Removals in rentsync.removed.';
comment on column rentsync.receiver_count.ahead is 'At most so many units are gone from the source that no plan has looked at yet.';
comment on column rentsync.receiver_count.ahead_seen is 'Changes that are visible in this snapshot are among them; null: any unit may be gone.';
comment on column rentsync.receiver_count.doubted_at is 'When so many were found to be gone from the source that none may be told; null: when it was last counted they were fewer.';

update rentsync.feed f
   set of_units = least(coalesce(told.units_before, f.units), f.units + coalesce(told.gone, 0))
  from rentsync.feed g
  left join (
       select r.feed_id, sum(r.units + r.uncovered) as gone, (array_agg(r.units_before order by r.sequence))[1] as units_before
         from rentsync.removed r
        group by r.feed_id
       ) as told using (feed_id)
 where f.feed_id = g.feed_id;
insert into rentsync.receiver_count (receiver, of_units, gone)
select r.receiver,
       (select coalesce(sum(f.of_units), 0) from rentsync.feed f where f.receiver = r.receiver),
       (select coalesce(sum(g.units + g.uncovered), 0) from rentsync.removed g where g.receiver = r.receiver)
  from rentsync.receiver r;

-- What a feed keeps back, by the reason. The old one knew two of the reasons.
create index ledger_withheld on rentsync.ledger (feed_id, kept_back) where kept_back is not null;
drop index rentsync.ledger_held;
-- What a person wants kept, by the hold.
create index ledger_rejected on rentsync.ledger (kept_back_because) where kept_back = 'rejected';

-- Each kind of hold by its own join: one that any row of the ledger might belong to is compared with all of them.
create or replace view rentsync.held_unit as
select h.hold_id, h.receiver, h.state, l.feed_id, f.property_id, l.unit_id, l.unit_code, l.kept_back_at as since
  from rentsync.hold h
  join rentsync.ledger l on l.feed_id = h.feed_id and l.kept_back = 'held'
  join rentsync.feed f on f.feed_id = l.feed_id
 where h.state = 'open'
 union all
select h.hold_id, h.receiver, h.state, l.feed_id, f.property_id, l.unit_id, l.unit_code, l.kept_back_at
  from rentsync.hold h
  join rentsync.feed f on f.receiver = h.receiver
  join rentsync.ledger l on l.feed_id = f.feed_id and l.kept_back = 'guarded'
 where h.state = 'open' and h.feed_id is null
 union all
select h.hold_id, h.receiver, h.state, l.feed_id, f.property_id, l.unit_id, l.unit_code, l.kept_back_at
  from rentsync.ledger l
  join rentsync.feed f on f.feed_id = l.feed_id
  join rentsync.hold h on rentsync.kept_because(h.hold_id) = l.kept_back_because
                      and h.receiver = f.receiver and l.feed_id = coalesce(h.feed_id, l.feed_id)
 where h.state = 'rejected' and l.kept_back = 'rejected';

drop function rentsync.holds_over(text, bigint, bigint, bigint, bigint);
