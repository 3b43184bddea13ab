-- Who owns schema rentsync, where that is neither this role, nor a superuser, nor somebody who may act as the owner of a source
-- table $1 or $2: whoever made it put into it what they liked, and it would run as this role. Asks the catalogs alone; no row: all
-- is well.
select r.rolname::text
  from pg_namespace n
  join pg_roles r on r.oid = n.nspowner
 where n.nspname = 'rentsync' and not r.rolsuper and r.rolname <> current_user
   and not exists (select from pg_class c
                    where c.oid in (to_regclass($1), to_regclass($2)) and pg_has_role(r.oid, c.relowner, 'usage'))
