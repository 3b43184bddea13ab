-- What the ledger says of a unit whose removal was rejected: written and looked for in one wording.
create or replace function rentsync.kept_because(hold_id bigint) returns text immutable language sql as $$
    select 'a person wants it kept (hold ' || hold_id || ')'
$$
