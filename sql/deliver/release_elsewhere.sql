-- Units that feeds of receiver $1 withhold because another feed had them, and none has any more, are owed. From the counts of what is
-- withheld to the units, so that it costs what there is of it. Locks them. Says of which properties.
with feeds as materialized (
    select distinct w.feed_id from rentsync.withheld w
     where w.receiver = $1 and w.kind = 'elsewhere' and w.feed_id is not null
), units as materialized (
    select withheld.feed_id, withheld.unit_id
      from feeds
     cross join lateral (
           select l.feed_id, l.unit_id from rentsync.ledger l where l.feed_id = feeds.feed_id and l.withheld = 'elsewhere' offset 0
           ) as withheld
     where not exists (
           select from rentsync.ledger other
            where other.unit_id = withheld.unit_id and other.feed_id <> withheld.feed_id and other.sequence is not null
              and exists (select from rentsync.feed g where g.feed_id = other.feed_id and g.receiver = $1)
              and (other.removed is null or other.owed is not null or other.withheld = 'refused'
                or exists (select from rentsync.sync s where s.sequence = other.sequence and s.state in ('open', 'waiting'))))
), released as (
    update rentsync.ledger l
       set withheld = null, withheld_because = null, withheld_at = null, owed = 'retry'
      from units
     where l.feed_id = units.feed_id and l.unit_id = units.unit_id and l.withheld = 'elsewhere'
    returning l.feed_id
)
select distinct f.property_id from released join rentsync.feed f using (feed_id)
