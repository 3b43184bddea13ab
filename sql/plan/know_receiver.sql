-- Makes receiver $1 known, with the fingerprint $2, if it is not: the schema may have been dropped and installed anew. Locks
-- nothing that exists.
insert into rentsync.receiver (receiver, settings) values ($1, $2) on conflict (receiver) do nothing
