-- Makes room for a site's own source functions, whose result columns may be others. Locks the two functions.
drop function if exists rentsync.source_property(), rentsync.source_unit()
