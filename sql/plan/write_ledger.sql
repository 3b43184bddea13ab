-- Writes whole ledger rows, as the plan worked them out. Locks the rows it replaces; their feeds are locked already.
insert into rentsync.ledger (feed_id, unit_id, unit_code, hash, removed, sequence, owed, kept_back)
select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::bigint[], $7::text[], $8::text[])
on conflict (feed_id, unit_id) do update
   set unit_code = excluded.unit_code, hash = excluded.hash, removed = excluded.removed,
       sequence = excluded.sequence, owed = excluded.owed, kept_back = excluded.kept_back
