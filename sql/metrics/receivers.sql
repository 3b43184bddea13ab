-- How each receiver stands, for a scrape, by what `status` goes by as well. Reads only: what is kept of each receiver, one look at
-- each feed, and what is open.
select b.receiver,
       (r.paused_at is not null)::integer::float8 as paused,
       r.failures::float8 as failures,
       b.feeds::float8, b.feeds_behind::float8, b.feeds_cooling_down::float8, b.feeds_paused::float8,
       b.units_owed::float8,
       (select count(*)::float8 from rentsync.feed f join rentsync.duplicate d using (feed_id)
         where f.receiver = r.receiver) as duplicate_codes,
       b.open_syncs::float8 as syncs_open,
       coalesce(extract(epoch from clock_timestamp() - b.oldest_change)::float8, 0) as oldest_change_age,
       extract(epoch from b.last_delivered)::float8 as last_delivered
  from rentsync.receiver r
  join rentsync.receiver_backlog b using (receiver)
 order by b.receiver
