-- How receiver $1 stands at $2 (null: now), as far as it decides whether anything is told; also where it was never run. relays: other
-- sessions of this program on this database. Reads only.
select r.receiver is not null as is_known, r.settings, r.paused_at, r.paused_because,
       nullif(r.probe_at, 'infinity') as probe_at,
       case when r.wait_until > coalesce($2, clock_timestamp()) then r.wait_until end as wait_until,
       exists (select from rentsync.source_identity n where n.receiver = $1 and n.waits_since is not null) as waits_for_resync,
       (select count(*) from pg_stat_activity a
         where a.datname = current_database() and a.application_name like 'rentsync-relay%' and a.pid <> pg_backend_pid()) as relays,
       (select h.hold_id from rentsync.hold h where h.receiver = $1 and h.feed_id is null and h.state = 'open') as hold_id,
       (select nullif(h.pruned_before, '-infinity') from rentsync.horizon h) as pruned_before
  from (select) as one
  left join rentsync.receiver r on r.receiver = $1
