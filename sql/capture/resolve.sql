-- The full name of table $1, a name without a schema, as the role's own search_path has it. Run on a connection that still has
-- that path, so every name, type and operator in here is qualified. Asks the catalogs alone; no row: no such table.
select pg_catalog.format('%I.%I', n.nspname, c.relname)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
 where c.relname operator(pg_catalog.=) pg_catalog.lower($1::pg_catalog.text)::pg_catalog.name
   and pg_catalog.pg_table_is_visible(c.oid)
