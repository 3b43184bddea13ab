-- Role $1, and why rights can't be granted to it (null: they can, as far as mighty_memberships.sql has no objection): a superuser has
-- all, some could stop the writes of production, nobody connects as one of the server's own, and to the owner of the source, or whoever may act as it, a grant gives nothing. Asks
-- the catalogs alone; no row: no such role.
select case when r.rolsuper then 'it is a superuser'
            when r.rolcreaterole then 'it may create roles, and so make itself a member of others'
            when exists (select from pg_roles s where s.rolsuper and pg_has_role(r.oid, s.oid, 'member'))
                 then 'it may act as a superuser'
            when r.rolreplication then 'it may read all that the server writes, and keep it from giving up its log'
            when pg_has_role(r.oid, (select d.datdba from pg_database d where d.datname = current_database()), 'member')
                 then 'it may act as the owner of the database, and so change what everybody''s sessions begin with'
            when r.rolname like 'pg\_%' then 'it is one of the server''s own, as which nobody connects'
            when pg_has_role(r.oid, n.nspowner, 'member') then 'it may act as the owner of schema rentsync'
       end as objection
  from pg_roles r
  left join pg_namespace n on n.nspname = 'rentsync'
 where r.rolname = $1
