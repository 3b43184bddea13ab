-- Receiver $1 calls the properties $2 by the ids $3 (null: as the source does). A property without a feed is given one, enabled as $4
-- says: the id has to stand somewhere before the first plan. Locks the feeds; a row in the outbox each has them planned at once.
with known as (
    insert into rentsync.receiver (receiver) values ($1) on conflict do nothing
), asked as materialized (
    select * from unnest($2::bigint[], $3::text[]) as asked (property_id, external_id)
), changed as (
    update rentsync.feed f
       set external_id = asked.external_id
      from asked
     where f.receiver = $1 and f.property_id = asked.property_id
    returning f.property_id
), enrolled as (
    insert into rentsync.feed (receiver, property_id, external_id, enabled)
    select $1, asked.property_id, asked.external_id, $4
      from asked
     where asked.property_id not in (select f.property_id from rentsync.feed f where f.receiver = $1)
)
insert into rentsync.outbox (property_id, op)
select property_id, 'map' from changed
