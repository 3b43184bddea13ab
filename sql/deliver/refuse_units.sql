-- The receiver refuses what sync $2 carried of the units $3 of feed $1, because of $4: left out until they change or, from $5
-- (null: now), for as many seconds as the element of $6 says that stands at how often it refused them in a row, the last for all
-- beyond. Units that this sync does not carry, or that a later
-- one carries, are passed over: an answer may name anything. They stay owed, whatever withholds them later. Locks the feed and the units. Says which.
with refused as (
    update rentsync.ledger l
       set withheld = 'refused', withheld_because = $4, refused_hash = l.hash, owed = 'retry', bisection = null,
           withheld_at = coalesce($5, clock_timestamp()), refusals = least(l.refusals + 1, 32767),
           retry_at = coalesce($5, clock_timestamp()) + make_interval(secs => ($6::float8[])[least(l.refusals + 1, cardinality($6))])
      from rentsync.sync_feed sf
     where sf.feed_id = $1 and sf.sequence = $2 and l.unit_id = any ($3) and l.unit_id = any (sf.units || sf.gone)
       and l.feed_id = sf.feed_id and l.sequence <= sf.sequence
    returning l.feed_id, l.unit_id, l.retry_at
), noted as (
    update rentsync.feed f
       set retry_at = least(f.retry_at, first.retry_at), refused_at = coalesce($5, clock_timestamp())
      from (select feed_id, min(retry_at) as retry_at from refused group by feed_id) as first
     where f.feed_id = first.feed_id
)
select unit_id from refused order by unit_id
