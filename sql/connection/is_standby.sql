-- Whether the server is a standby. Reads only.
select pg_catalog.pg_is_in_recovery()
