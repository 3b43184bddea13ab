-- Keeps rentsync.withheld right, whatever writes to the ledger: statement triggers of the ledger call it. Two transactions count the
-- same feed at once by adding rows, so neither waits for the other.
create or replace function rentsync.count_withheld() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $body$
declare
    feeds bigint[];
    kinds text[];
    units bigint[];
begin
    if tg_op = 'INSERT' then
        select array_agg(c.feed_id), array_agg(c.kind), array_agg(c.units) into feeds, kinds, units
          from (select w.feed_id, coalesce(w.withheld, w.owed) as kind, count(*) as units from written w
                 where coalesce(w.withheld, w.owed) is not null group by 1, 2) as c;
    elsif tg_op = 'DELETE' then
        select array_agg(c.feed_id), array_agg(c.kind), array_agg(c.units) into feeds, kinds, units
          from (select s.feed_id, coalesce(s.withheld, s.owed) as kind, -count(*) as units from stood s
                 where coalesce(s.withheld, s.owed) is not null group by 1, 2) as c;
    else
        select array_agg(c.feed_id), array_agg(c.kind), array_agg(c.units) into feeds, kinds, units
          from (select b.feed_id, b.kind, sum(b.units)::bigint as units
                  from (select w.feed_id, coalesce(w.withheld, w.owed) as kind, 1 as units from written w
                         where coalesce(w.withheld, w.owed) is not null
                         union all
                        select s.feed_id, coalesce(s.withheld, s.owed), -1 from stood s
                         where coalesce(s.withheld, s.owed) is not null) as b
                 group by 1, 2 having sum(b.units) <> 0) as c;
    end if;
    if feeds is not null then
        with change as materialized (
            select f.receiver, c.feed_id, c.kind, c.units
              from unnest(feeds, kinds, units) as c (feed_id, kind, units)
              join rentsync.feed f using (feed_id)
        )
        insert into rentsync.withheld (receiver, feed_id, kind, units)
        select c.receiver, c.feed_id, c.kind, c.units from change c
         union all
        select c.receiver, null, c.kind, sum(c.units) from change c group by c.receiver, c.kind;
    end if;
    return null;
end
$body$
