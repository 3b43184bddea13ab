-- The full name of table $1, what kind of relation it is, whether this role owns it, and who does. Locks nothing.
select format('%I.%I', n.nspname, c.relname), c.relkind::text, pg_has_role(c.relowner, 'usage'),
       c.relowner::regrole::text, current_user::text
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
 where c.oid = to_regclass($1)
