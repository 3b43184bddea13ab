-- How each receiver stands, for a scrape. Only what an index answers or what grows with feeds and open work: neither the ledger
-- nor old syncs are read whole. Changes are looked for as a plan does, so that a long transaction costs nothing. Means the same
-- by a change not delivered as `status`. Reads only.
select r.receiver,
       (r.paused_at is not null)::integer::float8 as paused,
       r.failures::float8 as failures,
       feeds.feeds, feeds.feeds_behind, feeds.feeds_resting, feeds.feeds_paused,
       (select count(*)::float8 from rentsync.feed f join rentsync.ledger l using (feed_id)
         where f.receiver = r.receiver and l.owed is not null and l.kept_back is null) as units_owed,
       (select count(*)::float8 from rentsync.feed f join rentsync.duplicate d using (feed_id)
         where f.receiver = r.receiver) as duplicate_codes,
       open.syncs as syncs_open,
       coalesce(extract(epoch from clock_timestamp() - least(feeds.oldest_change, open.oldest_change))::float8, 0) as oldest_change_age,
       (select extract(epoch from max(s.settled_at))::float8 from rentsync.sync s
         where s.receiver = r.receiver and s.state = 'delivered') as last_delivered
  from rentsync.receiver r
 cross join lateral (
       select count(*)::float8 as feeds,
              count(*) filter (where f.cursor is null or news.oldest_change is not null or owes.anything)::float8 as feeds_behind,
              count(f.rest_until)::float8 as feeds_resting,
              count(f.paused_because)::float8 as feeds_paused,
              least(min(news.oldest_change), min(given_up.oldest_change), min(f.owed_since)) as oldest_change
         from rentsync.feed f
        cross join lateral (
              select min(change.occurred_at) as oldest_change
                from (select o.occurred_at from rentsync.outbox o
                       where o.property_id = f.property_id and o.xid >= pg_snapshot_xmax(f.cursor)
                       union all
                      select o.occurred_at from pg_snapshot_xip(f.cursor) as running (xid)
                        join rentsync.outbox o on o.property_id = f.property_id and o.xid = running.xid
                       union all
                      select o.occurred_at from rentsync.outbox o
                       where o.property_id is null and o.xid >= pg_snapshot_xmax(f.cursor)
                       union all
                      select o.occurred_at from pg_snapshot_xip(f.cursor) as running (xid)
                        join rentsync.outbox o on o.property_id is null and o.xid = running.xid
                     ) as change
              ) as news
        cross join lateral (
              select f.rest_until is not null or f.property_owed is not null
                  or exists (select from rentsync.ledger l
                              where l.feed_id = f.feed_id and l.owed is not null and l.kept_back is null) as anything
              ) as owes
         left join lateral (
              select min(s.oldest_change) as oldest_change
                from rentsync.sync_feed sf join rentsync.sync s using (sequence)
               where owes.anything and sf.feed_id = f.feed_id and s.state in ('rejected', 'exhausted', 'cancelled')
                 and sf.sequence > coalesce((select max(d.sequence)
                                               from rentsync.sync_feed d join rentsync.sync s using (sequence)
                                              where d.feed_id = f.feed_id and s.state = 'delivered'), 0)
              ) as given_up on true
        where f.receiver = r.receiver
       ) as feeds
 cross join lateral (
       select count(*)::float8 as syncs, min(s.oldest_change) as oldest_change
         from rentsync.sync s
        where s.receiver = r.receiver and s.state = 'open'
       ) as open
 order by r.receiver
