-- A feed to receiver $1 for each of the properties $2, which it was sent, that has none: it was enrolled in a life that the database
-- lost. It is due a snapshot: where the source has no such property, that is what takes it off. Inserts only.
insert into rentsync.feed (receiver, property_id, snapshot_due, property_owed)
select $1, sent.property_id, 'source_identity', 'in_doubt'
  from unnest($2::bigint[]) as sent (property_id)
    on conflict do nothing
