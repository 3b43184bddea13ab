-- The rights in schema rentsync that nobody decided on or that nobody should have, a row for each object and grantee, with the
-- statement that ends it. `install` runs the statements every time, because replacing a function keeps its grants and because
-- default privileges grant on whatever is created; `doctor` looks whether there are any. Asks the catalogs and
-- rentsync.relay_role.
--
-- Surplus is: what just anybody has; what may be granted on; what default privileges give; of a role in rentsync.relay_role
-- what no statement of ours needs (the finer list is sql/doctor/rights.sql); of any other role whatever is more than reading.
-- Trigger functions and those that return nothing are the owner's alone, and a function that runs as its owner is no reader's. Row types
-- are the owner's: whoever has a column of one, of a temporary table even, keeps its table from being altered.
--
-- Whoever may read and grant that on loses the latter alone, and whoever has reading from such a role keeps it: `again` is the
-- grant that follows once every statement has run. `is_changed`: that role may do less afterwards.
with object (oid, kind, name, owner, acl, default_kind, reading, running) as (
    select c.oid, case c.relkind when 'S' then 'sequence' else 'table' end, format('rentsync.%I', c.relname), c.relowner,
           coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner)),
           case c.relkind when 'S' then 'S' else 'r' end, array['SELECT'],
           case when c.relkind = 'S' then array['SELECT', 'USAGE', 'UPDATE'] else array['SELECT', 'INSERT', 'UPDATE', 'DELETE'] end
      from pg_class c
     where c.relnamespace = to_regnamespace('rentsync') and c.relkind in ('r', 'p', 'v', 'm', 'S')
    union all
    select p.oid, 'routine', p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)), 'f',
           case when p.prosecdef or p.prorettype in ('trigger'::regtype, 'void'::regtype) then '{}'::text[] else array['EXECUTE'] end,
           case when p.prorettype in ('trigger'::regtype, 'void'::regtype) then '{}'::text[] else array['EXECUTE'] end
      from pg_proc p
     where p.pronamespace = to_regnamespace('rentsync')
    union all
    select t.oid, 'type', t.oid::regtype::text, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner)), 'T', '{}', '{}'
      from pg_type t
     where t.typnamespace = to_regnamespace('rentsync') and t.typtype = 'c'
    union all
    select n.oid, 'schema', 'rentsync', n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)), 'n', array['USAGE'], array['USAGE']
      from pg_namespace n
     where n.nspname = 'rentsync'
), held as (
    select o.*, a.grantee, a.privilege_type, a.is_grantable, a.grantor, '' as columns from object o cross join lateral aclexplode(o.acl) a
    union all
    select o.*, a.grantee, a.privilege_type, a.is_grantable, a.grantor, format(' (%I)', t.attname)
      from object o
      join pg_attribute t on t.attrelid = o.oid and t.attacl is not null and not t.attisdropped
     cross join lateral aclexplode(t.attacl) a
     where o.kind = 'table'
), related as (
    select h.*, m.role_name is not null as is_relay, case h.grantee when 0 then 'public' else h.grantee::regrole::text end as grantee_name,
           exists (select from pg_default_acl d cross join lateral aclexplode(d.defaclacl) a
                    where d.defaclrole = h.owner and d.defaclobjtype::text = h.default_kind
                      and d.defaclnamespace in (0, to_regnamespace('rentsync'))
                      and a.grantee = h.grantee and a.privilege_type = h.privilege_type) as is_default
      from held h
      left join pg_roles r on r.oid = h.grantee
      left join rentsync.relay_role m on m.role_name = r.rolname::text
     where h.grantee <> h.owner
), judged as (
    select r.*, lower(r.privilege_type) || r.columns as privilege,
           r.grantee = 0
        or case when r.is_relay then r.privilege_type <> all (r.running) else r.is_default or r.privilege_type <> all (r.reading) end as is_over
      from related r
)
select kind, name, kind = 'routine' and name in ('rentsync.source_property()', 'rentsync.source_unit()') as is_source,
       grantee_name as grantee,
       string_agg(distinct privilege || case when is_grantable and not is_over then ' with grant option' else '' end, ', ') as rights,
       bool_and(privilege_type = any (reading)) as is_reading, bool_or(is_default) as is_default,
       bool_or(is_over or is_grantable) as is_changed, pg_has_role(owner, 'usage') as can_revoke,
       format('revoke %s on %s %s from %s cascade', string_agg(distinct privilege, ', '), kind, name, grantee_name) as statement,
       'grant ' || string_agg(distinct privilege, ', ') filter (where not is_over) || format(' on %s %s to %s', kind, name, grantee_name)
           as again
  from judged
 where is_over or is_grantable or grantor <> owner
 group by kind, name, owner, grantee, grantee_name
 order by grantee, kind = 'sequence', kind, name
