-- Which database of the cluster this is: one that was dropped and restored, or copied, is another. And which making of the schema: a
-- dump restored in its place is another one. Reads the catalogs alone.
select oid::bigint as database, to_regclass('rentsync.source_identity')::oid::bigint as own_table
  from pg_database
 where datname = current_database()
