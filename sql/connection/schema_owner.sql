-- Which role owns schema rentsync, and whose source functions in it (of that name, whatever they take) are not that role's, nor of
-- one that may act as it: reading the source would run them as whoever reads; and which transactions have
-- ended: where that is what a look saw, nothing has changed since. No row: no such schema. Asks the catalogs alone, by
-- their indexes, because every connection asks it.
select n.nspowner as owner, pg_current_snapshot()::text as snapshot,
       (select min(format('%s belongs to %s', p.oid::regprocedure, pg_get_userbyid(p.proowner)))
          from pg_proc p
         where p.proname in ('source_property', 'source_unit') and p.pronamespace = n.oid
           and not pg_has_role(p.proowner, n.nspowner, 'member')) as strangers
  from pg_namespace n
 where n.nspname = 'rentsync'
