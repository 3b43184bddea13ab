-- What others hung on the tables of schema rentsync while they could: triggers whose functions are not their tables' owner's, rules,
-- policies. They act in what the tables' owner does, which is every write of the source. A row each: what it is, and the statement
-- that takes it off. What belongs to the owner or a superuser was hung by whom nothing is hidden from. Asks the catalogs alone.
with ours as (
    select c.oid, c.relowner, format('rentsync.%I', c.relname) as name
      from pg_class c
     where c.relnamespace = to_regnamespace('rentsync') and c.relkind in ('r', 'p', 'v', 'm')
       and (c.relowner = (select n.nspowner from pg_namespace n where n.nspname = 'rentsync')
            or c.relowner in (select r.oid from pg_roles r where r.rolsuper))
)
select format('trigger %I on %s', g.tgname, o.name) as what, format('drop trigger %I on %s', g.tgname, o.name) as statement
  from ours o
  join pg_trigger g on g.tgrelid = o.oid and not g.tgisinternal
  join pg_proc p on p.oid = g.tgfoid
  join pg_roles r on r.oid = p.proowner
 where p.proowner <> o.relowner and not r.rolsuper
 union all
select format('rule %I on %s', w.rulename, o.name), format('drop rule %I on %s', w.rulename, o.name)
  from ours o
  join pg_rewrite w on w.ev_class = o.oid and w.rulename <> '_RETURN'
 union all
select format('policy %I on %s', y.polname, o.name), format('drop policy %I on %s', y.polname, o.name)
  from ours o
  join pg_policy y on y.polrelid = o.oid
 order by what
