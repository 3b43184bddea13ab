-- The schemas along this role's own search_path. The first statement of a connection, before that path is replaced, so every name
-- and type in it is qualified, and it has no operator. Asks the catalogs alone.
select pg_catalog.current_schemas(false)::pg_catalog.text[]
