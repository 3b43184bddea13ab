-- What of schema rentsync belongs to a role that is no superuser and may not act as role $1, the source's owner: the schema itself, and
-- the relations in it that have a name of ours ($2). Whatever such a role left there (a default, an index, a view in the place of a
-- table) would run as $1. A row each: what it is, and whose. What is hung on our tables, and functions of a stranger's, are asked for by
-- hung.sql. Asks the catalogs alone.
with object as (
    select 1 as place, 'schema rentsync' as what, n.nspowner as owner from pg_namespace n where n.nspname = 'rentsync'
     union all
    select 2, format('rentsync.%I', c.relname), c.relowner
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'rentsync' and c.relname = any ($2::text[])
)
select o.what, r.rolname::text as whose
  from object o
  join pg_roles r on r.oid = o.owner
 where not r.rolsuper and not pg_has_role(r.oid, (select s.oid from pg_roles s where s.rolname = $1), 'usage')
 order by o.place, o.what
