-- How many units are withheld from receiver $1, of property $2 only (null: of all), and whose objection it is. Reads only.
select l.withheld, count(*)
  from rentsync.ledger l
  join rentsync.feed f using (feed_id)
 where f.receiver = $1 and ($2::bigint is null or f.property_id = $2) and l.withheld is not null
 group by l.withheld
 order by l.withheld
