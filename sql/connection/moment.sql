-- What time it is: $1, or (null) by the server's clock. Reads only.
select coalesce($1, clock_timestamp())
