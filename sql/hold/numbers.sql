-- How many holds over receiver $1 are open, and of how many removals, properties and units. As the transaction sees it; the ledger
-- says which. Reads only.
select (select count(*) from rentsync.hold h where h.receiver = $1 and h.state = 'open'),
       coalesce(sum(feed.units), 0)::bigint, count(*), coalesce(sum(feed.of_units), 0)::bigint
  from (
       select count(*) as units, f.units as of_units
         from rentsync.feed f
         join rentsync.ledger l on l.feed_id = f.feed_id and l.kept_back in ('held', 'guarded')
        where f.receiver = $1
        group by f.feed_id
       ) as feed
