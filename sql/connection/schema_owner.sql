-- Which role owns schema rentsync. No row: no such schema. Asks the catalogs alone.
select nspowner from pg_namespace where nspname = 'rentsync'
