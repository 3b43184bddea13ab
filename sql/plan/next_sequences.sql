-- The next $1 numbers, rising, and the moment ($2, else the database's clock) at which their syncs are sealed.
select coalesce(array_agg(number order by number), '{}'), coalesce($2, clock_timestamp())
  from (select nextval('rentsync.sync_sequence') as number from generate_series(1, $1)) as numbers
