-- Everything the relay ever wrote. The triggers are off by then; what others made upon it (dependents.sql) goes with it.
drop schema rentsync cascade
