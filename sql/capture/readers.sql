-- What a role that could read all of the first release's tables and is none of the relay's may not read of this release: a row for
-- each object, with the role, quoted, and the statement that lets it read. Without it such a role's `status`, `holds list` and
-- `verify` would end with an upgrade. Functions that run as their owner, triggers' and those that return nothing are no reader's.
-- What default privileges and just anybody had is taken back before this is asked. Asks the catalogs and rentsync.relay_role alone.
with reader as (
    select a.grantee as oid
      from pg_class c
     cross join lateral aclexplode(c.relacl) a
     where c.relnamespace = 'rentsync'::regnamespace and c.relname in ('receiver', 'feed', 'ledger', 'sync', 'sync_feed', 'attempt')
       and a.privilege_type = 'SELECT' and a.grantee not in (0, c.relowner)
       and not exists (select from rentsync.relay_role m where m.role_name = (select r.rolname::text from pg_roles r where r.oid = a.grantee))
     group by a.grantee
    having count(distinct c.oid) = 6
       and has_schema_privilege(a.grantee, 'rentsync', 'usage')
), object (oid, kind, name, owner, privilege) as (
    select c.oid, 'table', format('rentsync.%I', c.relname), c.relowner, 'select'
      from pg_class c
     where c.relnamespace = 'rentsync'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    union all
    select p.oid, 'function', p.oid::regprocedure::text, p.proowner, 'execute'
      from pg_proc p
     where p.pronamespace = 'rentsync'::regnamespace and not p.prosecdef and p.prorettype not in ('trigger'::regtype, 'void'::regtype)
)
select reader.oid::regrole::text as role_name,
       format('grant %s on %s %s to %s', object.privilege, object.kind, object.name, reader.oid::regrole) as statement
  from reader
 cross join object
 where object.owner = (select n.nspowner from pg_namespace n where n.nspname = 'rentsync')
   and not case object.kind when 'table' then has_table_privilege(reader.oid, object.oid, object.privilege)
                            else has_function_privilege(reader.oid, object.oid, object.privilege) end
 order by role_name, object.kind, object.name
