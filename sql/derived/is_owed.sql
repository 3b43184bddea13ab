-- Whether a kind of rentsync.withheld is a reason to send a unit, and not one to withhold it.
create or replace function rentsync.is_owed(kind text) returns boolean immutable language sql as $$
    select kind in ('in_doubt', 'over_limit', 'removal', 'replay', 'retry', 'retell', 'approved')
$$
