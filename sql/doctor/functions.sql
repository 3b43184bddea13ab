-- The functions that stand in schema rentsync, with what decides how they run. Asks the catalogs alone.
select p.proname::text as name, p.prosrc as body, p.prosecdef as is_definer,
       coalesce(p.proconfig = array['search_path=pg_catalog, pg_temp'], false) and p.prorettype in ('trigger'::regtype, 'void'::regtype)
           as is_fenced
  from pg_proc p
 where p.pronamespace = to_regnamespace('rentsync')
