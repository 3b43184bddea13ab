-- What was noted of the database that receiver $1 was fed from, whether it waits for a person, and whether a cursor of its
-- feeds lies ahead of the database: no transaction of this server can have moved it there; and whether the database lacks the sync $2
-- of ID $3 (null: none) that the asking relay leased at $4, though it was not pruned, and nothing was noted since. No row: no such
-- receiver. Reads only.
select l.noted_at, l.system_identifier, l.database_oid as database, l.table_oid as own_table, l.timeline, l.waits_since is not null as waits,
       exists (select from rentsync.feed f
                where f.receiver = $1 and pg_snapshot_xmax(f.cursor) > pg_snapshot_xmax(pg_current_snapshot())) as ahead,
       coalesce($4::timestamptz > l.noted_at and $4 >= (select pruned_before from rentsync.horizon)
                and not exists (select from rentsync.sync s where s.sequence = $2 and s.sync_id = $3), false) as lacks_sent
  from rentsync.receiver r
  left join rentsync.source_identity l using (receiver)
 where r.receiver = $1
