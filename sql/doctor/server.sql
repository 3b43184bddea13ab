-- What the server is, whom it takes this connection for, and which settings hold on it. Reads only.
select current_setting('server_version_num')::integer as version_num, current_setting('server_version') as version,
       pg_is_in_recovery() as in_recovery,
       -- As the role, the database or the server has it: this connection has made itself read-only meanwhile.
       (select reset_val = 'on' from pg_settings where name = 'default_transaction_read_only') as is_read_only, current_user::text as role, current_database()::text as database,
       current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit, current_setting('row_security') as row_security
