-- How many codes several units carry, as receiver $1 is told them (null: any receiver). Reads only.
select count(*)
  from rentsync.duplicate
  join rentsync.feed f using (feed_id)
 where $1::text is null or f.receiver = $1
