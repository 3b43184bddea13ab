-- Who owns schema rentsync, whether that role is to be trusted, whether this one may become a superuser, whether any source table is
-- there, and whether this role may act as the owner. Trusted is this role, a superuser, and the roles $3 that a person named. So is whoever may act as the
-- owner of both source tables $1 and $2 (full names), as far as they are there, but not for a superuser: in a database where they
-- are not, anybody may have made tables of that name. Asks the catalogs alone; no row: no such schema.
with asking as (
    select exists (select from pg_roles s where s.rolsuper and pg_has_role(session_user, s.oid, 'member')) as is_mighty
), source as (
    select c.relowner from pg_class c where c.oid in (to_regclass($1), to_regclass($2))
)
select r.oid, r.rolname::text as owner, r.rolsuper as is_superuser, a.is_mighty, exists (select from source) as has_source, pg_has_role(r.oid, 'usage') as is_ours,
       r.rolname = current_user or r.rolsuper or r.rolname = any ($3::text[])
       or (not a.is_mighty and coalesce((select bool_and(pg_has_role(r.oid, s.relowner, 'usage')) from source s), false)) as is_trusted
  from pg_namespace n
  join pg_roles r on r.oid = n.nspowner
 cross join asking a
 where n.nspname = 'rentsync'
