-- Has the properties $1 planned at once, by whichever relay looks, because of $2: a change that touches nothing. Inserts only.
insert into rentsync.outbox (property_id, op, unit_ids)
select distinct property_id, $2, '{}'::bigint[] from unnest($1::bigint[]) as asked (property_id)
