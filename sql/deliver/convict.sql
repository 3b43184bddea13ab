-- Judges what stood alone in the search for bad units of feed $1, once nothing bisected is left to be sent. A unit is shown to be bad where
-- a request that told it was rejected, then the receiver acknowledged one that began after that, and then, in a request that began
-- after that one, it was rejected alone: no outage explains both, short of two. Any other stays refused without proof and is sent
-- once more: when the receiver acknowledges anything (0), or, where the receiver failed on it and did not reject it, after a while
-- (-1). The search is over with the last that is proved. Locks the feed and the units. Says which, and whether each is proved.
with search as (
    select f.feed_id, f.receiver, f.bisected_sync
      from rentsync.feed f
     where f.feed_id = $1 and f.bisected_sync is not null
       and not exists (select from rentsync.ledger l
                        where l.feed_id = f.feed_id and l.bisection is not null and l.owed is not null and l.withheld is null)
), alone as (
    select l.feed_id, l.unit_id, last.outcome = 'exhausted' as failed,
           last.outcome <> 'exhausted' and exists (
               select from rentsync.sync s
                where s.receiver = search.receiver and s.state = 'delivered'
                  and s.settled_at >= first.rejected_at and s.settled_at <= last.started_at
                  and (select max(a.started_at) from rentsync.attempt a where a.sequence = s.sequence) >= first.rejected_at) as proved
      from search
      join rentsync.ledger l on l.feed_id = search.feed_id and l.bisection > 0 and l.withheld = 'refused'
     cross join lateral (
           select a.started_at, a.outcome from rentsync.attempt a where a.sequence = l.sequence order by a.lease desc limit 1
           ) as last
     cross join lateral (
           select min(a.finished_at) as rejected_at
             from rentsync.sync_feed before
             join rentsync.attempt a using (sequence)
            where before.feed_id = l.feed_id and before.sequence >= search.bisected_sync and before.sequence < l.sequence
              and (l.unit_id = any (before.units) or l.unit_id = any (before.gone)) and a.outcome in ('rejected', 'exhausted')
           ) as first
), over as (
    update rentsync.feed f
       set bisected_sync = null, bisection_accepted = false
      from search
     where f.feed_id = search.feed_id
       and not exists (select from alone where not proved)
       and not exists (select from rentsync.ledger l
                        where l.feed_id = f.feed_id and l.bisection <= 0 and l.withheld = 'refused')
)
update rentsync.ledger l
   set owed = case when not alone.proved then l.owed end,
       bisection = case when alone.proved then null when alone.failed then -1 else 0 end
  from alone
 where l.feed_id = alone.feed_id and l.unit_id = alone.unit_id
returning l.unit_id, alone.proved
