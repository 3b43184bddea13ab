-- How feed $2's search for bad units stands; $3: its sync that was rejected. Whether there is one; whether bisected ones are left to be
-- sent; whether anything of the property was accepted since; whether receiver $1 acknowledged a request that began after its first
-- rejection ($4: or after the receiver was last paused for an answer that may be one property's); how many of its requests in a row
-- were not acknowledged; how many units stood alone; whether the receiver ever acknowledged anything of the feed; how often in a row it
-- acknowledged others and nothing of it; and whether something that the sync carries was refused before. Reads only.
select f.bisected_sync is not null as is_on,
       exists (select from rentsync.ledger l
                where l.feed_id = f.feed_id and l.bisection is not null and l.owed is not null and l.withheld is null) as is_left,
       f.bisection_accepted as accepted,
       exists (select from rentsync.sync s
                where s.receiver = $1 and s.state = 'delivered' and s.settled_at >= rejected.at
                  and (select max(a.started_at) from rentsync.attempt a where a.sequence = s.sequence) >= rejected.at) as accepts_others,
       f.searched,
       (select count(*) from rentsync.ledger l
         where l.feed_id = f.feed_id and l.bisection is not null and l.withheld = 'refused') as alone,
       exists (select from rentsync.sync_feed sf
                 join rentsync.sync s using (sequence)
                where sf.feed_id = f.feed_id and s.state = 'delivered') as was_acknowledged,
       f.failures,
       exists (select from rentsync.ledger l where l.feed_id = f.feed_id and l.sequence = $3 and l.refusals > 0) as was_refused
  from rentsync.feed f
 cross join lateral (
       select least((select min(a.finished_at) from rentsync.attempt a where a.sequence = coalesce(f.bisected_sync, $3)),
                    case when $4 then (select r.doubted_at from rentsync.receiver r where r.receiver = $1) end) as at
       ) as rejected
 where f.feed_id = $2
