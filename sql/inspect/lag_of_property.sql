-- How old changes of property $1 were when they were acknowledged, for each receiver ($2: this one, null: all): the half and the 99th part
-- of the last hour's syncs, and the oldest change that is not acknowledged. Reads only, the newest syncs of these feeds, 1,000 of each at most.
select f.receiver, f.property_id,
       extract(epoch from statement_timestamp() - waits.oldest_change)::float8 as oldest_change_age,
       lag.half as lag_p50, lag.most as lag_p99
  from rentsync.feed f
 cross join lateral rentsync.first_news(f.property_id, f.cursor) as first
 cross join lateral (
       select least(first.occurred_at,
                    case when f.cursor is null or f.cooldown_until is not null or f.property_owed is not null
                           or exists (select from rentsync.ledger l
                                       where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null)
                         then f.owed_since end,
                    (select s.oldest_change from rentsync.sync_feed sf join rentsync.sync s using (sequence)
                      where sf.feed_id = f.feed_id and sf.is_open)) as oldest_change
       ) as waits
 cross join lateral (
       select percentile_disc(0.5) within group (order by took.seconds) as half,
              percentile_disc(0.99) within group (order by took.seconds) as most
         from (select sf.sequence from rentsync.sync_feed sf where sf.feed_id = f.feed_id order by sf.sequence desc limit 1000) as newest
        cross join lateral (
              select extract(epoch from s.settled_at - s.oldest_change)::float8 as seconds
                from rentsync.sync s
               where s.sequence = newest.sequence and s.state = 'delivered' and s.oldest_change is not null
                 and s.redelivered_at is null and s.settled_at > statement_timestamp() - interval '1 hour'
              offset 0) as took
       ) as lag
 where f.property_id = $1 and ($2::text is null or f.receiver = $2)
 order by f.receiver
