-- Raises the numbering above $1, and above anything this clock could have given; never lowers it. Takes no lock beyond
-- the sequence's own; a number drawn meanwhile is only skipped.
select setval('rentsync.sync_sequence',
              greatest($1, nextval('rentsync.sync_sequence'), (extract(epoch from clock_timestamp()) * 1e6)::bigint))
