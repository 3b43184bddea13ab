-- The units of one hold, looked for from the hold: a statement that joins the view held_unit is only as good as the statistics of
-- tables that fill within a second.
create or replace function rentsync.units_of_hold(of_hold rentsync.hold)
returns table (feed_id bigint, unit_id bigint, unit_code text, since timestamptz)
language sql stable as $$
    select l.feed_id, l.unit_id, l.unit_code, l.withheld_at
      from rentsync.ledger l
     where of_hold.state = 'open' and l.feed_id = of_hold.feed_id and l.withheld = 'held'
     union all
    select l.feed_id, l.unit_id, l.unit_code, l.withheld_at
      from (select distinct w.feed_id
              from rentsync.withheld w
             where of_hold.state = 'open' and of_hold.feed_id is null
               and w.receiver = of_hold.receiver and w.kind = 'guarded' and w.feed_id is not null) as feed
     cross join lateral (
           select l.feed_id, l.unit_id, l.unit_code, l.withheld_at
             from rentsync.ledger l
            where l.feed_id = feed.feed_id and l.withheld = 'guarded'
           offset 0
           ) as l
     union all
    select l.feed_id, l.unit_id, l.unit_code, l.withheld_at
      from (select of_hold.feed_id where of_hold.state = 'rejected' and of_hold.feed_id is not null
             union all
            select distinct w.feed_id
              from rentsync.withheld w
             where of_hold.state = 'rejected' and of_hold.feed_id is null
               and w.receiver = of_hold.receiver and w.kind = 'rejected' and w.feed_id is not null) as feed
     cross join lateral (
           select l.feed_id, l.unit_id, l.unit_code, l.withheld_at
             from rentsync.ledger l
            where l.feed_id = feed.feed_id and l.withheld = 'rejected'
              and l.withheld_because = rentsync.kept_because(of_hold.hold_id)
           offset 0
           ) as l
$$
