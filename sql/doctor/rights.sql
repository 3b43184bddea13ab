-- What role $1 (null: this one) may not do in schema rentsync and `run` has to, and what it may do and has no need to, the latter
-- not of a role that may act as the owner: a row for each kind of object and set of rights, with the objects, and whether these
-- are all for which that is wanted. `doctor` says it, `install --grant-to` puts it right. Asks the catalogs alone, so that it works
-- without any right. The names are quoted, because they become parts of statements; what belongs to neither the schema's owner
-- nor a superuser is not ours, whoever put it there. A sequence behind an identity column needs none.
--
-- What a later migration adds is granted by its kind. Five tables are the owner's: whoever may delete from one may also lock it, and
-- every write of the source reads rentsync.attachment and adds to rentsync.outbox; and nobody takes back what rentsync.audit says. Of the functions, a trigger's and those that
-- return nothing (attach, detach) are the owner's.
with asked (role) as (
    select coalesce($1::text::name, current_user)
), object (oid, name, kind, owner, rights, excess) as (
    select c.oid, format('%I', c.relname), 'table', c.relowner,
           case when c.relname in ('attachment', 'migration', 'relay_role') then array['select']
                when c.relname in ('outbox', 'audit') then array['select', 'insert']
                else array['select', 'insert', 'update', 'delete'] end,
           case when c.relname in ('attachment', 'migration', 'relay_role') then array['insert', 'update', 'delete', 'truncate', 'trigger']
                when c.relname in ('outbox', 'audit') then array['update', 'delete', 'truncate', 'trigger']
                else array['truncate', 'trigger'] end
      from pg_class c
     where c.relnamespace = to_regnamespace('rentsync') and c.relkind in ('r', 'p')
    union all
    select c.oid, format('%I', c.relname), 'view', c.relowner, array['select'], '{}'
      from pg_class c
     where c.relnamespace = to_regnamespace('rentsync') and c.relkind in ('v', 'm')
    union all
    select c.oid, format('%I', c.relname), 'sequence', c.relowner,
           case when d.is_internal then '{}' when c.relname = 'sync_sequence' then array['usage', 'update'] else array['usage'] end,
           case when d.is_internal then array['usage', 'update'] else '{}' end
      from pg_class c
     cross join lateral (select exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'i') as is_internal) d
     where c.relnamespace = to_regnamespace('rentsync') and c.relkind = 'S'
    union all
    select p.oid, format('%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), 'function', p.proowner, array['execute'], '{}'
      from pg_proc p
     where p.pronamespace = to_regnamespace('rentsync') and p.prorettype not in ('trigger'::regtype, 'void'::regtype)
    union all
    select n.oid, n.nspname::text, 'schema', n.nspowner, array['usage'], array['create'] from pg_namespace n where n.nspname = 'rentsync'
), ours as (
    select o.*
      from object o
     where o.owner = (select n.nspowner from pg_namespace n where n.nspname = 'rentsync')
        or o.owner in (select r.oid from pg_roles r where r.rolsuper)
), found as (
    select o.kind, o.name, o.rights as wanted, asked.is_excess, string_agg(asked.privilege, ', ' order by asked.place) as rights
      from ours o
     cross join asked r
     cross join lateral (
           select privilege, place, false from unnest(o.rights) with ordinality as wanted (privilege, place)
            union all
           select privilege, place, true from unnest(o.excess) with ordinality as excess (privilege, place)
            where not pg_has_role(r.role, o.owner, 'usage')
           ) as asked (privilege, place, is_excess)
     where asked.is_excess = case o.kind
               when 'schema' then has_schema_privilege(r.role, o.oid, asked.privilege)
               when 'function' then has_function_privilege(r.role, o.oid, asked.privilege)
               when 'sequence' then has_sequence_privilege(r.role, o.oid, asked.privilege)
               else has_table_privilege(r.role, o.oid, asked.privilege)
           end
     group by o.kind, o.name, o.rights, asked.is_excess
)
select f.kind, f.rights, f.is_excess, array_agg(f.name order by f.name) as names,
       not f.is_excess and count(*) = (select count(*) from ours o where o.kind = f.kind and o.rights = f.wanted) as is_all
  from found f
 group by f.kind, f.rights, f.wanted, f.is_excess
 order by f.is_excess desc, array_position(array['schema', 'table', 'view', 'sequence', 'function'], f.kind), f.rights, names
