-- Whether Citus has its catalog in this database. Reads only.
select to_regclass('pg_catalog.pg_dist_partition') is not null
