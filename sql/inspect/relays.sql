-- How many other sessions of the relay this database has: `run` keeps at least one. Reads only.
select count(*)
  from pg_stat_activity
 where datname = current_database() and application_name like 'rentsync-relay%' and pid <> pg_backend_pid()
