-- Which role owns schema rentsync, and which transactions have ended: where the latter is what a look saw, nothing has changed since. No
-- row: no such schema. Asks the catalogs alone.
select nspowner, pg_current_snapshot()::text from pg_namespace where nspname = 'rentsync'
