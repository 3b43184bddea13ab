-- Who owns schema rentsync, whether that is nobody to be trusted, and whether this role may act as its owner. Trusted is this role,
-- a superuser, and whoever may act as the owner of a source table $1 or $2 (full names): whoever made the schema put into it what
-- they liked, and it would run as this role. Asks the catalogs alone; no row: no such schema.
select r.rolname::text as owner,
       not r.rolsuper and r.rolname <> current_user
       and not exists (select from pg_class c
                        where c.oid in (to_regclass($1), to_regclass($2)) and pg_has_role(r.oid, c.relowner, 'usage')) as is_stranger,
       pg_has_role(r.oid, 'usage') as is_ours
  from pg_namespace n
  join pg_roles r on r.oid = n.nspowner
 where n.nspname = 'rentsync'
