-- The roles that were granted by hand what README once said, and are not noted as the relay's: usage of the schema, and reading and
-- writing each of the first release's tables. One privilege is not enough to make it a relay's role, what default privileges give
-- counts for nothing, and a superuser needs no grant. Asks the catalogs and rentsync.relay_role alone.
with granted as (
    select a.grantee, c.oid, a.privilege_type
      from pg_class c
     cross join lateral aclexplode(c.relacl) a
     where c.relnamespace = 'rentsync'::regnamespace and c.relname in ('receiver', 'feed', 'ledger', 'sync', 'sync_feed', 'attempt')
       and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') and a.grantee not in (0, c.relowner)
       and not exists (select from pg_default_acl d cross join lateral aclexplode(d.defaclacl) b
                        where d.defaclrole = c.relowner and d.defaclobjtype = 'r' and d.defaclnamespace in (0, c.relnamespace)
                          and b.grantee = a.grantee and b.privilege_type = a.privilege_type)
)
select r.rolname::text as role_name
  from granted g
  join pg_roles r on r.oid = g.grantee
 where not r.rolsuper
   and not exists (select from rentsync.relay_role m where m.role_name = r.rolname::text)
   and exists (select from pg_namespace n cross join lateral aclexplode(n.nspacl) a
                where n.nspname = 'rentsync' and a.grantee = r.oid and a.privilege_type = 'USAGE')
 group by r.rolname
having count(distinct (g.oid, g.privilege_type)) = 24
 order by role_name
