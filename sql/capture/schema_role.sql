-- Who owns schema rentsync. No row: no such schema.
select r.rolname::text from pg_namespace n join pg_roles r on r.oid = n.nspowner where n.nspname = 'rentsync'
