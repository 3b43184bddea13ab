-- Units that feeds of receiver $1 withhold because another feed had them, and none has any more, are owed. Locks them.
-- Says of which properties.
with released as (
    update rentsync.ledger l
       set withheld = null, withheld_because = null, withheld_at = null, owed = 'retry'
      from rentsync.feed f
     where f.feed_id = l.feed_id and f.receiver = $1 and l.withheld = 'elsewhere'
       and not exists (
           select from rentsync.ledger other
             join rentsync.feed g on g.feed_id = other.feed_id and g.receiver = $1
             left join rentsync.sync s on s.sequence = other.sequence
            where other.unit_id = l.unit_id and other.feed_id <> l.feed_id and other.sequence is not null
              and (other.removed is null or other.owed is not null or other.withheld = 'refused'
                or s.state in ('open', 'waiting')))
    returning f.property_id
)
select distinct property_id from released
