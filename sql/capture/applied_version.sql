-- The newest migration applied. Reads only.
select max(version) from rentsync.migration where success
