-- What is hung on the tables of schema rentsync and was made by none of its migrations: triggers, rules, policies. They act in what
-- the tables' owner does, which is every write of the source, and in what install does, as whoever runs it; a trigger needs no function
-- of its maker's for that, because a built-in or one of ours stops a write as well. A row each: what it is, and the statement that takes
-- it off. A migration that makes a trigger names it here. Asks the catalogs alone.
with ours as (
    select c.oid, c.relname, format('rentsync.%I', c.relname) as name
      from pg_class c
     where c.relnamespace = to_regnamespace('rentsync') and c.relkind in ('r', 'p', 'v', 'm')
       and (c.relowner = (select n.nspowner from pg_namespace n where n.nspname = 'rentsync')
            or c.relowner in (select r.oid from pg_roles r where r.rolsuper))
)
select format('trigger %I on %s', g.tgname, o.name) as what, format('drop trigger %I on %s', g.tgname, o.name) as statement
  from ours o
  join pg_trigger g on g.tgrelid = o.oid and not g.tgisinternal
  join pg_proc p on p.oid = g.tgfoid
 where not (o.relname = 'ledger' and g.tgname in ('count_insert', 'count_update', 'count_delete')
        and p.proname = 'count_withheld' and p.pronamespace = to_regnamespace('rentsync'))
 union all
select format('rule %I on %s', w.rulename, o.name), format('drop rule %I on %s', w.rulename, o.name)
  from ours o
  join pg_rewrite w on w.ev_class = o.oid and w.rulename <> '_RETURN'
 union all
select format('policy %I on %s', y.polname, o.name), format('drop policy %I on %s', y.polname, o.name)
  from ours o
  join pg_policy y on y.polrelid = o.oid
 order by what
