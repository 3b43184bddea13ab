-- One install or uninstall at a time, until its transaction ends.
select pg_advisory_xact_lock(hashtextextended('rentsync.install', 0))
