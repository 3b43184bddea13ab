-- The functions that stand in schema rentsync, with what decides how they run. Asks the catalogs alone.
select p.proname::text as name, p.prosrc as body, p.prosecdef as is_definer,
       coalesce(array_to_string(p.proconfig, '; '), '') as settings
  from pg_proc p
 where p.pronamespace = to_regnamespace('rentsync')
