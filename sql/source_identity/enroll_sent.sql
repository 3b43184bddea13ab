-- A feed to receiver $1 for each of the properties $2, which it was sent, that has none: it was enrolled in a life that the database
-- lost. Where the source has no such property, its snapshot is what takes it off. Inserts only.
insert into rentsync.feed (receiver, property_id)
select $1, sent.property_id
  from unnest($2::bigint[]) as sent (property_id)
    on conflict do nothing
