-- Looks nothing up beyond the server's own from here on. Changes this connection alone.
set search_path = pg_catalog, pg_temp
