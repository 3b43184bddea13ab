-- Which session this is: its process, and when it began. Reads only.
select a.pid, a.backend_start from pg_stat_activity a where a.pid = pg_backend_pid()
