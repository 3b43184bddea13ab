-- Whether receiver $1 has ever been run against this database. Reads only.
select exists (select from rentsync.receiver where receiver = $1)
