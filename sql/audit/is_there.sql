-- Whether there is a place to note anything: an older release's schema has none. Reads the catalogs only.
select to_regclass('rentsync.audit') is not null
