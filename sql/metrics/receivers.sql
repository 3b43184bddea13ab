-- How each receiver stands, for a scrape. Only what an index answers or what grows with feeds and open work: neither the ledger
-- nor old syncs are read whole. Means the same by a change not delivered as `status`. Reads only.
select r.receiver,
       (r.paused_at is not null)::integer::float8 as paused,
       r.failures::float8 as failures,
       feeds.feeds::float8, feeds.feeds_behind::float8, feeds.feeds_resting::float8, feeds.feeds_paused::float8,
       (select count(*)::float8 from rentsync.feed f join rentsync.ledger l using (feed_id)
         where f.receiver = r.receiver and l.owed is not null and l.kept_back is null) as units_owed,
       (select count(*)::float8 from rentsync.feed f join rentsync.duplicate d using (feed_id)
         where f.receiver = r.receiver) as duplicate_codes,
       open.syncs as syncs_open,
       coalesce(extract(epoch from clock_timestamp() - least(feeds.oldest_change, open.oldest_change))::float8, 0) as oldest_change_age,
       (select extract(epoch from max(s.settled_at))::float8 from rentsync.sync s
         where s.receiver = r.receiver and s.state = 'delivered') as last_delivered
  from rentsync.receiver r
  join rentsync.receiver_backlog feeds using (receiver)
 cross join lateral (
       select count(*)::float8 as syncs, min(s.oldest_change) as oldest_change
         from rentsync.sync s
        where s.receiver = r.receiver and s.state = 'open'
       ) as open
 order by r.receiver
