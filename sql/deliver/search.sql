-- How feed $2's search for bad units stands: the sync it began with (null: there is none); whether bisected ones are left to be sent,
-- whether anything of the property was accepted since, whether receiver $1 acknowledged a request that began after its first rejection ($5: or
-- after the receiver was last paused for an answer that may be one property's);
-- whether $4 syncs or more were sent in it, up to sync $3; which units stood alone; whether it ever took anything of the feed. Reads
-- only.
select f.bisected_sync,
       exists (select from rentsync.ledger l
                where l.feed_id = f.feed_id and l.bisection is not null and l.owed is not null and l.withheld is null) as is_left,
       f.bisection_accepted as accepted,
       exists (select from rentsync.sync s
                where s.receiver = $1 and s.state = 'delivered' and s.settled_at >= rejected.at
                  and (select max(a.started_at) from rentsync.attempt a where a.sequence = s.sequence) >= rejected.at) as takes_others,
       (select count(*) from rentsync.sync_feed sf
         where sf.feed_id = f.feed_id and sf.sequence >= f.bisected_sync and sf.sequence <= $3) >= $4 as is_long,
       array(select l.unit_id from rentsync.ledger l
              where l.feed_id = f.feed_id and l.bisection > 0 and l.withheld = 'refused' order by l.unit_id) as alone,
       exists (select from rentsync.sync_feed sf
                 join rentsync.sync s using (sequence)
                where sf.feed_id = f.feed_id and s.state = 'delivered') as was_taken
  from rentsync.feed f
 cross join lateral (
       select least((select min(a.finished_at) from rentsync.attempt a where a.sequence = f.bisected_sync),
                    case when $5 then (select r.doubted_at from rentsync.receiver r where r.receiver = $1) end) as at
       ) as rejected
 where f.feed_id = $2
