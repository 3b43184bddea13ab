-- Which transaction this is; it gets a number if it has none yet. Reads only.
select pg_current_xact_id()::text
