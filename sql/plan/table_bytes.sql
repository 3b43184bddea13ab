-- How large the tables are that plans choose their way through. Reads no table.
select pg_relation_size('rentsync.feed') + pg_relation_size('rentsync.ledger') + pg_relation_size('rentsync.sync')
     + pg_relation_size('rentsync.outbox')
