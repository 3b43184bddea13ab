-- Replication slots that nobody reads and that keep dead rows, or more than $1 bytes of WAL. Reads only.
select slot_name::text as name, s.xmin is not null as keeps_rows,
       coalesce(pg_size_pretty(kept.wal), 'no WAL') as wal
  from pg_replication_slots s
 cross join lateral (
       select pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end,
                              s.restart_lsn) as wal
       ) as kept
 where not s.active and not s.temporary and (s.xmin is not null or kept.wal > $1)
 order by slot_name
