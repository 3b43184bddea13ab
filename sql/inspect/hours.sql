-- The last 24 hours, an hour a row, the oldest first: how many requests began in it, how many of them were not acknowledged, and how
-- long the changes in what was delivered in it had waited, in seconds: half of them, and 99 of 100, no longer. Of receiver $1 (null: of
-- all). Redelivered syncs and snapshots wait for nobody's change. Reads only: by index what began and what was settled in each hour.
with hour as (
    select at from generate_series(date_trunc('hour', clock_timestamp()) - interval '23 hours', date_trunc('hour', clock_timestamp()),
                                   interval '1 hour') as at
)
select hour.at, tried.requests, tried.failed, waited.lag_p50, waited.lag_p99
  from hour
 cross join lateral (
       select count(*) as requests, count(*) filter (where a.outcome not in ('delivered', 'stale')) as failed
         from rentsync.attempt a
        where a.started_at >= hour.at and a.started_at < hour.at + interval '1 hour'
          and ($1::text is null or (select s.receiver from rentsync.sync s where s.sequence = a.sequence) = $1)
       ) as tried
 cross join lateral (
       select percentile_cont(0.5) within group (order by lag.seconds) as lag_p50,
              percentile_cont(0.99) within group (order by lag.seconds) as lag_p99
         from (select greatest(extract(epoch from s.settled_at - s.oldest_change), 0)::float8 as seconds
                 from rentsync.sync s
                where s.settled_at >= hour.at and s.settled_at < hour.at + interval '1 hour' and s.state = 'delivered'
                  and s.sync_type = 'delta' and s.redelivered_at is null and s.oldest_change is not null
                  and ($1::text is null or s.receiver = $1)) as lag
       ) as waited
 order by hour.at
