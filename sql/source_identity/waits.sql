-- Whether receiver $1 waits for a person to accept this database. Reads only.
select exists (select from rentsync.source_identity where receiver = $1 and waits_since is not null)
