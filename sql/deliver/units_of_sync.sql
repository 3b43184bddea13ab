-- The units that sync $2 carries of feed $1, without those that a later one carries. Reads only.
select carried.unit_id
  from rentsync.sync_feed sf
 cross join lateral unnest(sf.units || sf.gone) as carried (unit_id)
 cross join lateral (
       select from rentsync.ledger l
        where l.feed_id = sf.feed_id and l.unit_id = carried.unit_id and l.sequence <= sf.sequence
       offset 0
       ) as stands
 where sf.feed_id = $1 and sf.sequence = $2
 order by carried.unit_id
