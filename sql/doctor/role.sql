-- Whom this connection is, as a statement would name it; and whether it may write everything in this database, which no grant says and
-- none takes back, and has no need to: it is neither a superuser nor may it act as the owner of schema rentsync. Asks the catalogs alone.
select quote_ident(current_user),
       pg_has_role('pg_write_all_data', 'member') and not r.rolsuper
           and not coalesce(pg_has_role((select n.nspowner from pg_namespace n where n.nspname = 'rentsync'), 'usage'), false)
  from pg_roles r
 where r.rolname = current_user
