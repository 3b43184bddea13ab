-- The database's clock. Reads only.
select clock_timestamp()
