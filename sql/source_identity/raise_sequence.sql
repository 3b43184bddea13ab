-- Raises the numbering above anything this clock could have given, and above $1, which the asking relay sent. Never lowers it: where it is there already nothing is
-- set, and the margin keeps numbers that others draw meanwhile below what is set. Locks nothing.
-- pg_sequence_last_value, because reading the sequence itself is a right that drawing numbers does not give.
select setval('rentsync.sync_sequence', raised.number)
  from (select greatest((extract(epoch from clock_timestamp()) * 1e6)::bigint, $1) + 1000000 as number) as raised
 where coalesce(pg_sequence_last_value('rentsync.sync_sequence'), 0) < raised.number - 1000000
