-- This connection only reads, and no statement of it takes longer than $1 milliseconds. Compiling a statement that is done in
-- milliseconds would take longer than the statement.
select set_config('statement_timeout', $1, false),
       set_config('default_transaction_read_only', 'on', false),
       set_config('jit', 'off', false)
