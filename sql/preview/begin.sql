-- How receiver $1 stands at $2 (null: now), as far as it decides what is sent: also where it was never run. The number of the
-- newest sync, by the sequence where that may be asked, and the moment. Reads only.
select r.settings, r.paused_because, nullif(r.probe_at, 'infinity') as probe_at,
       case when r.wait_until > coalesce($2, clock_timestamp()) then r.wait_until end as wait_until,
       coalesce(case when has_sequence_privilege('rentsync.sync_sequence', 'usage, select')
                     then pg_sequence_last_value('rentsync.sync_sequence')
                     else (select max(s.sequence) from rentsync.sync s) end, 0) as newest,
       coalesce($2, clock_timestamp()) as now
  from (select) as one
  left join rentsync.receiver r on r.receiver = $1
