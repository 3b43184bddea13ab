-- What the server is and whether it takes writes: its version, whether it is a standby, whether transactions of this session
-- are read-only, the role that the session is, and which engine. Reads only.
select current_setting('server_version_num')::integer as version, pg_is_in_recovery() as in_recovery,
       current_setting('transaction_read_only')::boolean as read_only, quote_ident(current_user) as role,
       version() as engine, to_regclass('rds_aurora.limitless_tables') is not null as has_limitless_tables,
       to_regclass('sys.jobs') is not null and to_regclass('sys.iam_pg_role_mappings') is not null as has_dsql_views
