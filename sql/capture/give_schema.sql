-- The statements that make schema rentsync and what is ours in it belong to role $1, in the order in which they can be run, and
-- whether this role can run each: what belongs to the schema's owner or to a superuser, of whom an earlier install may have been,
-- and not to $1 already. What a stranger put there stays a stranger's. Nothing of a schema that role $2 (null: whoever does) does not
-- own. Asks the catalogs alone.
with given as (
    select n.oid, n.nspowner from pg_namespace n where n.nspname = 'rentsync' and ($2::oid is null or n.nspowner = $2)
), ours (role) as (
    select nspowner from given
     union
    select r.oid from pg_roles r where r.rolsuper
), object as (
    select 1 as place, g.nspowner as owner, format('alter schema rentsync owner to %I', $1::text) as statement from given g
     union all
    select 2, c.relowner, format('alter table rentsync.%I owner to %I', c.relname, $1)
      from pg_class c
      join given g on g.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'S')
       and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i') and c.relkind = 'S')
     union all
    select 3, p.proowner, format('alter routine rentsync.%I(%s) owner to %I', p.proname, pg_get_function_identity_arguments(p.oid), $1)
      from pg_proc p
      join given g on g.oid = p.pronamespace
)
select o.statement, pg_has_role(o.owner, 'usage') as can_give
  from object o
 where o.owner in (select role from ours) and o.owner <> (select r.oid from pg_roles r where r.rolname = $1)
 order by o.place, o.statement
