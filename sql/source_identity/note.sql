-- Receiver $1 is fed from this database from now on ($4; null: now): system identifier $2, timeline $3, null where the
-- server does not say, the database $5 and our table in it $6. Locks its row.
insert into rentsync.source_identity (receiver, system_identifier, database_oid, table_oid, timeline, noted_at)
values ($1, $2, $5, $6, $3, coalesce($4, clock_timestamp()))
on conflict (receiver) do update
   set system_identifier = excluded.system_identifier, database_oid = excluded.database_oid,
       table_oid = excluded.table_oid, timeline = excluded.timeline, noted_at = excluded.noted_at,
       waits_since = null
