-- Receiver $1 knows the units $2 by the codes $3 (null: as the settings say); $4: their properties, null where the source has them no more.
-- Locks those rows; a row in the outbox for each property has these units compared, so that what is sent is what differs.
with known as (
    insert into rentsync.receiver (receiver) values ($1) on conflict do nothing
), asked as materialized (
    select * from unnest($2::bigint[], $3::text[], $4::bigint[]) as asked (unit_id, unit_code, property_id)
), gone as (
    delete from rentsync.unit_mapping m using asked
     where m.receiver = $1 and m.unit_id = asked.unit_id and asked.unit_code is null
), written as (
    insert into rentsync.unit_mapping (receiver, unit_id, unit_code)
    select $1, unit_id, unit_code from asked where unit_code is not null
    on conflict (receiver, unit_id) do update set unit_code = excluded.unit_code
)
insert into rentsync.outbox (property_id, op, unit_ids)
select property_id, 'map', array_agg(unit_id order by unit_id) from asked where property_id is not null group by property_id
