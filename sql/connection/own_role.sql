-- Acts again as the role that it began with. Changes this connection alone.
reset role
