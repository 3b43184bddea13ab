-- Notes the roles $1 as those that the relay runs as, and forgets roles that are gone. Writes rentsync.relay_role.
with forgotten as (
    delete from rentsync.relay_role m where not exists (select from pg_roles r where r.rolname::text = m.role_name)
)
insert into rentsync.relay_role (role_name) select unnest($1::text[]) on conflict do nothing
