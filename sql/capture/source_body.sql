-- The body of source function $1, if there is one. Locks nothing. Distinguishes a site's own version from a generated one.
select prosrc from pg_proc where pronamespace = to_regnamespace('rentsync') and proname = $1 and pronargs = 0
