-- The statement that drops source function $1, for one that can't be replaced. No row: no such function. Asks the catalogs alone.
select format('drop function %s', p.oid::regprocedure)
  from pg_proc p
 where p.pronamespace = to_regnamespace('rentsync') and p.proname = $1 and p.pronargs = 0
