-- Which engine the server is, as far as it says so. Reads only.
select version() as engine, to_regclass('rds_aurora.limitless_tables') is not null as has_limitless_tables,
       to_regclass('sys.jobs') is not null and to_regclass('sys.iam_pg_role_mappings') is not null as has_dsql_views
