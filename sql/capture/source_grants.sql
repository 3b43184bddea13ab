-- The statements that grant anew what others than the owner and just anybody may execute of the two source functions: writing a
-- function of other result columns drops it, and its grants with it. Asks the catalogs alone.
select format('grant execute on function %s to %s', p.oid::regprocedure, a.grantee::regrole)
  from pg_proc p
 cross join lateral aclexplode(p.proacl) a
 where p.pronamespace = to_regnamespace('rentsync') and p.proname in ('source_property', 'source_unit') and p.pronargs = 0
   and a.grantee not in (0, p.proowner)
