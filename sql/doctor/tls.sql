-- Whether this connection is encrypted, and how. Reads only.
select ssl, coalesce(version, '') as version from pg_stat_ssl where pid = pg_backend_pid()
