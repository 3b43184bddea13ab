-- Which transactions have ended: where that is what a look saw, there is nothing new for another. Reads no table.
select pg_current_snapshot()::text
