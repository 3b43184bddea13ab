-- This transaction's statements may take as long as they need, but wait ten seconds at most for anybody's lock. The triggers are
-- put on in much shorter steps, see rentsync.lock_source.
select set_config('statement_timeout', '0', true), set_config('lock_timeout', '10s', true)
