-- Makes receiver $1 known, with the fingerprint $2, if it is not: the schema may have been dropped and installed anew. Locks
-- nothing that exists.
with known as (
    insert into rentsync.receiver (receiver, settings) values ($1, $2) on conflict (receiver) do nothing
)
insert into rentsync.planner (receiver) values ($1) on conflict (receiver) do nothing
