-- Notes the role $1 (null: none) as one that the relay runs as, and every role that was granted by hand what README once said:
-- usage of the schema, and reading and writing each of the first release's tables. One privilege is not enough to make it a
-- relay's role, and what default privileges give counts for nothing. Forgets roles that are gone. Answers with those that it took
-- by their grants. Writes rentsync.relay_role, else asks the catalogs alone.
with forgotten as (
    delete from rentsync.relay_role m where not exists (select from pg_roles r where r.rolname::text = m.role_name)
), granted as (
    select a.grantee, c.oid, a.privilege_type
      from pg_class c
     cross join lateral aclexplode(c.relacl) a
     where c.relnamespace = 'rentsync'::regnamespace and c.relname in ('receiver', 'feed', 'ledger', 'sync', 'sync_feed', 'attempt')
       and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') and a.grantee not in (0, c.relowner)
       and not exists (select from pg_default_acl d cross join lateral aclexplode(d.defaclacl) b
                        where d.defaclrole = c.relowner and d.defaclobjtype = 'r' and d.defaclnamespace in (0, c.relnamespace)
                          and b.grantee = a.grantee and b.privilege_type = a.privilege_type)
), by_hand as (
    select r.rolname::text as role_name
      from granted g
      join pg_roles r on r.oid = g.grantee
     where exists (select from pg_namespace n cross join lateral aclexplode(n.nspacl) a
                    where n.nspname = 'rentsync' and a.grantee = r.oid and a.privilege_type = 'USAGE')
     group by r.rolname
    having count(distinct (g.oid, g.privilege_type)) = 24
), noted as (
    insert into rentsync.relay_role (role_name)
    select role_name from by_hand union select $1::text where $1 is not null
    on conflict do nothing
    returning role_name
)
select n.role_name from noted n where n.role_name is distinct from $1 order by n.role_name
