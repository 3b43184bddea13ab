-- The number of the newest sync, by the sequence where that may be asked, and the moment: $1 (null: now). Reads only.
select coalesce(case when has_sequence_privilege('rentsync.sync_sequence', 'usage, select')
                     then pg_sequence_last_value('rentsync.sync_sequence')
                     else (select max(s.sequence) from rentsync.sync s) end, 0) as newest,
       coalesce($1, clock_timestamp()) as now
