-- Every receiver ($1: this one, null: all), whether it may be sent to, and what its breaker goes by. Reads only.
select receiver,
       case when paused_at is not null then 'paused'
            when wait_until > clock_timestamp() then 'waiting'
            else 'sending'
       end as state,
       paused_at as since, paused_because as because,
       nullif(probe_at, 'infinity') as next_probe, probes as failed_probes,
       failures as failures_in_a_row, concurrency,
       case when wait_until > clock_timestamp() then wait_until end as wait_until
  from rentsync.receiver
 where $1::text is null or receiver = $1
 order by receiver
