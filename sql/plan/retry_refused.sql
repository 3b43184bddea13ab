-- Unit $2 (null: every unit) that receiver $1 refused is owed again. Locks the units, in the order in which a plan writes
-- them. A row in the outbox has them planned at once. Says which, and whether their feed is paused.
with chosen as (
    select l.feed_id, l.unit_id, f.property_id, f.paused_because is not null as feed_is_paused
      from rentsync.ledger l
      join rentsync.feed f using (feed_id)
     where f.receiver = $1 and l.withheld = 'refused' and ($2::bigint is null or l.unit_id = $2)
     order by l.feed_id, l.unit_id
       for update of l
), released as (
    update rentsync.ledger l
       set withheld = null, withheld_because = null, refused_hash = null, withheld_at = null, owed = 'retry'
      from chosen
     where l.feed_id = chosen.feed_id and l.unit_id = chosen.unit_id
), noticed as (
    insert into rentsync.outbox (property_id, op, unit_ids)
    select property_id, 'retry', array_agg(unit_id) from chosen group by property_id
)
select property_id, unit_id, feed_is_paused from chosen order by property_id, unit_id
