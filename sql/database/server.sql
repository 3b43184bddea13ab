-- What the server is and whether it takes writes: its version, whether it is a standby, whether transactions of this session
-- are read-only, and the role that the session is. Reads only.
select current_setting('server_version_num')::integer as version, pg_is_in_recovery() as in_recovery,
       current_setting('transaction_read_only')::boolean as read_only, quote_ident(current_user) as role
