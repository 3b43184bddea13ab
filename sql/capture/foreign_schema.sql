-- Who owns schema rentsync, where that is neither this role, nor the owner of the source tables $1 and $2, nor a superuser: whoever
-- made it put into it what they liked. Asks the catalogs alone; no row: nothing stands against installing.
select r.rolname::text
  from pg_namespace n
  join pg_roles r on r.oid = n.nspowner
 where n.nspname = 'rentsync'
   and (not pg_has_role(r.oid, 'usage')
        or r.rolname <> current_user and not r.rolsuper
           and r.oid not in (select relowner from pg_class where oid in ($1::text::regclass, $2::text::regclass)))
