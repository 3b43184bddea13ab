-- What was noted of the database that receiver $1 was fed from, whether it waits for a person, and whether a cursor of its
-- feeds lies ahead of the database: no transaction of this server can have moved it there. No row: no such receiver. Reads
-- only.
select l.receiver is not null as is_noted, l.system_identifier, l.database_oid as database, l.table_oid as own_table, l.timeline, l.waits_since is not null as waits,
       exists (select from rentsync.feed f
                where f.receiver = $1 and pg_snapshot_xmax(f.cursor) > pg_snapshot_xmax(pg_current_snapshot())) as ahead
  from rentsync.receiver r
  left join rentsync.source_identity l using (receiver)
 where r.receiver = $1
