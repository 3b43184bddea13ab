-- Whether there is a role $1. Asks the catalogs alone.
select exists (select from pg_roles where rolname = $1)
