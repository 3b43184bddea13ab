-- The full name of table $1, a name without a schema, as it is found along the schemas $2. Asks the catalogs alone; no row: no such
-- table.
select format('%I.%I', n.nspname, c.relname)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where c.relname = lower($1)::name and n.nspname = any ($2::text[])
 order by array_position($2::text[], n.nspname::text)
 limit 1
