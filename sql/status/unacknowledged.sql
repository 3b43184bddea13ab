-- Units and removals that receiver $1 is owed, or that are in a sync which it did not acknowledge, and units that are withheld
-- from it. Reads only.
select (select coalesce(sum(s.units + s.removed_units), 0)::bigint from rentsync.sync s
         where s.receiver = $1 and s.state in ('open', 'waiting'))
     + (select count(*) from rentsync.feed f join rentsync.ledger l using (feed_id)
         where f.receiver = $1 and l.owed is not null and l.withheld is null),
       (select count(*) from rentsync.ledger l join rentsync.feed f using (feed_id)
         where f.receiver = $1 and l.withheld is not null)
