-- What is hung on the tables of schema rentsync and was made by none of its migrations: triggers, rules, policies, foreign keys, and
-- functions in the schema that are somebody else's. They act in what the tables' owner does, which is every write of the source, and
-- in what install does, as whoever runs it; a trigger needs no function of its maker's for that, because a built-in or one of ours
-- stops a write as well. And somebody else's types under the name of a table or view of ours ($1), which can't be made beside them. A
-- row each: what it is, the statement that takes it off, and whose word that needs, where this role has not got it: a foreign key is its
-- own table's. A migration that makes a trigger names it here. A function and a type have kind, name and oid instead, because those that
-- use one another go at once, and only where nothing else uses them. What a role made that may act as the schema's owner is the site's
-- own, and stays. Asks the catalogs alone.
with given as (
    select n.oid, n.nspowner from pg_namespace n where n.nspname = 'rentsync'
), trusted (role) as (
    select nspowner from given
     union
    select r.oid from pg_roles r where r.rolsuper
), ours as (
    select c.oid, c.relname, format('rentsync.%I', c.relname) as name
      from pg_class c
      join given g on g.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm') and c.relowner in (select role from trusted)
)
select format('trigger %I on %s', g.tgname, o.name) as what, format('drop trigger %I on %s', g.tgname, o.name) as statement,
       null::text as needs, null::text as kind, null::oid as object
  from ours o
  join pg_trigger g on g.tgrelid = o.oid and not g.tgisinternal
  join pg_proc p on p.oid = g.tgfoid
 where not (o.relname = 'ledger' and g.tgname in ('count_insert', 'count_update', 'count_delete')
        and p.proname = 'count_withheld' and p.pronamespace = to_regnamespace('rentsync'))
 union all
select format('rule %I on %s', w.rulename, o.name), format('drop rule %I on %s', w.rulename, o.name), null, null, null
  from ours o
  join pg_rewrite w on w.ev_class = o.oid and w.rulename <> '_RETURN'
 union all
select format('policy %I on %s', y.polname, o.name), format('drop policy %I on %s', y.polname, o.name), null, null, null
  from ours o
  join pg_policy y on y.polrelid = o.oid
 union all
select format('foreign key %I of %s', f.conname, f.conrelid::regclass), format('alter table %s drop constraint %I', f.conrelid::regclass, f.conname),
       case when not pg_has_role(t.relowner, 'usage') then t.relowner::regrole::text end, null, null
  from pg_constraint f
  join pg_class t on t.oid = f.conrelid
 where f.contype = 'f' and f.confrelid in (select oid from ours) and f.conrelid not in (select oid from ours) and f.conparentid = 0
 union all
select format('function %s', p.oid::regprocedure), p.oid::regprocedure::text, null, 'routine', p.oid
  from pg_proc p
  join given g on g.oid = p.pronamespace
 where p.proowner not in (select role from trusted)
   and not pg_has_role(p.proowner, g.nspowner, 'member')
 union all
select format('type rentsync.%I', t.typname), format('rentsync.%I', t.typname), null, 'type', t.oid
  from pg_type t
  join given g on g.oid = t.typnamespace
 where t.typname = any ($1::text[]) and t.typrelid = 0
   and t.typowner not in (select role from trusted)
   and not pg_has_role(t.typowner, g.nspowner, 'member')
 order by what
