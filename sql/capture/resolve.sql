-- The full name of table $1, a name without a schema, as it is found along the schemas $2. Asks the catalogs alone; no row: no such
-- table, or it isn't clear whose is meant.
--
-- The source is what these tables are, and their owner is trusted with schema rentsync. So where whoever may create in one of the
-- schemas, or may create schemas, could have put a table in the way of another one of that name, neither counts: the settings
-- have to name it with its schema. Sure is what belongs to this role, to a superuser, to the database's owner, to its schema's
-- owner, or to a role that could not have put it there by itself. A schema called like this role comes first on every path that
-- nobody set, so it counts only if it belongs to one of the first three.
with trusted as (
    select r.oid
      from pg_roles r
     where r.rolname = current_user or r.rolsuper or r.rolname = 'pg_database_owner'
        or r.oid = (select d.datdba from pg_database d where d.datname = current_database())
), place as (
    select n.oid, n.nspname, n.nspowner, array_position($2::text[], n.nspname::text) as position,
           n.nspowner in (select oid from trusted) as is_trusted,
           n.nspowner in (select oid from trusted) or not has_database_privilege(n.nspowner, current_database(), 'create') as is_sure
      from pg_namespace n
     where n.nspname = any ($2::text[])
), found as (
    select format('%I.%I', p.nspname, c.relname) as name, p.position,
           p.is_sure and (c.relowner in (select oid from trusted) or c.relowner = p.nspowner
                          or not has_schema_privilege(c.relowner, p.oid, 'create')) as is_sure,
           count(*) over () as tables
      from pg_class c
      join place p on p.oid = c.relnamespace
     where c.relname = lower($1)::name and (p.is_trusted or p.nspname not in (current_user, session_user))
), first as (
    select name, is_sure, tables from found order by position limit 1
)
select name from first where is_sure or tables = 1
