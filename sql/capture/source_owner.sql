-- The role that schema rentsync is to belong to, and whether it is this one: the owner of the source tables $1 and $2 (full names),
-- of two owners the one that may act as the other. So what triggers run as is nobody mightier than whoever may change the tables.
-- Asks the catalogs alone; no row: neither may act as the other.
select r.rolname::text as owner, r.rolname = current_user as is_this_role
  from pg_class c
  join pg_roles r on r.oid = c.relowner
 where c.oid in (to_regclass($1), to_regclass($2))
   and not exists (select from pg_class o
                    where o.oid in (to_regclass($1), to_regclass($2)) and not pg_has_role(c.relowner, o.relowner, 'usage'))
 order by c.oid = to_regclass($2) desc
 limit 1
