-- Why units of feed $1 are owed, and how many for each reason, those of $2 left out. Reads only.
select l.owed, count(*)
  from rentsync.ledger l
 where l.feed_id = $1 and l.owed is not null and l.withheld is null and not l.unit_id = any ($2)
 group by l.owed
 order by l.owed
