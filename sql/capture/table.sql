-- The full name of table $1, what kind of relation it is, whether this role owns it, and who does. Locks nothing.
select format('%I.%I', n.nspname, c.relname) as full_name, c.relkind::text as kind, pg_has_role(c.relowner, 'usage') as is_owned,
       c.relowner::regrole::text as owner, current_user::text as role
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where c.oid = to_regclass($1)
