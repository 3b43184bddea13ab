-- The full name of table $1, a name without a schema, as it is found along the schemas $2. Asks the catalogs alone; no row: no such
-- table.
--
-- Whoever may create schemas may create one called like this role, which is first on its path unless somebody set that. Such a
-- schema counts only if it belongs to this role, to a superuser or to the database's owner: its tables say which the source's are,
-- and their owner is trusted with schema rentsync.
select format('%I.%I', n.nspname, c.relname)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_roles r on r.oid = n.nspowner
 where c.relname = lower($1)::name and n.nspname = any ($2::text[])
   and (n.nspname not in (current_user, session_user) or r.rolname = current_user or r.rolsuper
     or r.oid = (select d.datdba from pg_database d where d.datname = current_database()))
 order by array_position($2::text[], n.nspname::text)
 limit 1
