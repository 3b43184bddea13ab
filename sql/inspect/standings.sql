-- Whether each receiver ($1: this one, null: all) may be sent to at $2 (null: now), what its breaker goes by, and the fingerprint of the
-- settings that it was run with last. No row: it was never run against this database. Reads only.
select r.receiver,
       case when r.paused_at is not null then 'paused'
            when r.wait_until > moment.now then 'waiting'
            else 'sending'
       end as state,
       r.paused_at as since, r.paused_because as because,
       nullif(r.probe_at, 'infinity') as next_probe, r.probes as failed_probes,
       r.failures as failures_in_a_row, r.concurrency,
       case when r.wait_until > moment.now then r.wait_until end as wait_until,
       exists (select from rentsync.source_identity l where l.receiver = r.receiver and l.waits_since is not null) as waits_for_resync,
       r.settings
  from rentsync.receiver r
 cross join (select coalesce($2::timestamptz, clock_timestamp()) as now) as moment
 where $1::text is null or r.receiver = $1
 order by r.receiver
