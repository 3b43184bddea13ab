-- In a database of encoding SQL_ASCII, whose texts may be any bytes, has the server send them as they are: asked for UTF-8 it
-- refuses a whole answer for one byte that isn't, and with it every unit beside that one. Changes this connection alone. Every
-- name is qualified: a connection that looks up source tables still has the role's own search_path.
select pg_catalog.set_config('client_encoding', 'SQL_ASCII', false)
 where pg_catalog.current_setting('server_encoding') operator(pg_catalog.=) 'SQL_ASCII'::pg_catalog.text
