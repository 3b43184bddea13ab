-- Which timeline is written now. Not pg_control_checkpoint(): that lags behind a promotion. Reads only.
select left(pg_walfile_name(pg_current_wal_lsn()), 8)
