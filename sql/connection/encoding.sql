-- In a database of encoding SQL_ASCII, whose texts may be any bytes, has the server send them as they are: asked for UTF-8 it
-- refuses a whole answer for one byte that isn't, and with it every unit beside that one. Changes this connection alone.
select set_config('client_encoding', 'SQL_ASCII', false) where current_setting('server_encoding') = 'SQL_ASCII'
