-- The functions in schema rentsync that somebody may execute who should not, and the statement that ends it: nobody executes by
-- being just anybody, and a trigger function is its owner's alone (firing a trigger asks for no right). `install` runs the
-- statements every time, because replacing a function keeps its grants; `doctor` looks whether there are any. Asks the catalogs
-- alone. Left out is what this role could not revoke.
select p.oid::regprocedure::text as name, p.proname in ('source_property', 'source_unit') as is_source,
       case a.grantee when 0 then 'public' else a.grantee::regrole::text end as grantee,
       format('revoke all on routine %s from %s cascade', p.oid::regprocedure,
              case a.grantee when 0 then 'public' else a.grantee::regrole::text end) as statement
  from pg_proc p
 cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
 where p.pronamespace = to_regnamespace('rentsync') and a.grantee <> p.proowner
   and (a.grantee = 0 or p.prorettype = 'trigger'::regtype)
 order by name, grantee
