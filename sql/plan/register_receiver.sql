-- Makes receiver $1 known, with the fingerprint $2 of the settings that decide what a unit looks like, and gives it a right to
-- plan that a relay can take. Where the settings changed, one row in the outbox makes every feed compare everything: what differs
-- is sealed, nothing else. Locks its row.
with before as (
    select settings from rentsync.receiver where receiver = $1
), registered as (
    insert into rentsync.receiver as r (receiver, settings) values ($1, $2)
    on conflict (receiver) do update set settings = excluded.settings
     where r.settings is distinct from excluded.settings
), planned as (
    insert into rentsync.planner (receiver) values ($1) on conflict do nothing
)
insert into rentsync.outbox (property_id, op)
select null, 'settings' from before where settings is distinct from $2
