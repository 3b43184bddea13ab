-- Judges what stood alone in the search for bad units of feed $1, once nothing bisected is left to be sent. A unit is shown to be bad where
-- a sync that told it was rejected, a later one of the same feed was acknowledged, and after that it was rejected alone: no outage of
-- receiver or property explains both rejections, short of two. Any other stays refused without proof and is sent once more: when the
-- receiver acknowledges anything (0); or, where that was tried, or where the receiver failed on it and did not reject it, every so
-- often (-1). The search is over with the last that is proved. Locks the feed and the units. Says which, and whether each is proved.
with search as (
    select f.feed_id, f.bisected_sync
      from rentsync.feed f
     where f.feed_id = $1 and f.bisected_sync is not null
       and not exists (select from rentsync.ledger l
                        where l.feed_id = f.feed_id and l.bisection is not null and l.owed is not null and l.withheld is null)
), alone as (
    select l.feed_id, l.unit_id, first.alone is not null or last.outcome = 'exhausted' as was_tried,
           last.outcome <> 'exhausted' and exists (
               select from rentsync.sync_feed between_them
                 join rentsync.sync s using (sequence)
                where between_them.feed_id = l.feed_id and between_them.sequence > first.rejected
                  and between_them.sequence < l.sequence and s.state = 'delivered') as proved
      from search
      join rentsync.ledger l on l.feed_id = search.feed_id and l.bisection > 0 and l.withheld = 'refused'
     cross join lateral (
           select a.outcome from rentsync.attempt a where a.sequence = l.sequence order by a.lease desc limit 1
           ) as last
     cross join lateral (
           select min(before.sequence) as rejected,
                  min(before.sequence) filter (where cardinality(before.units) + cardinality(before.gone) = 1) as alone
             from rentsync.sync_feed before
             join rentsync.attempt a using (sequence)
            where before.feed_id = l.feed_id and before.sequence >= search.bisected_sync and before.sequence < l.sequence
              and (l.unit_id = any (before.units) or l.unit_id = any (before.gone)) and a.outcome = 'rejected'
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
       bisection = case when alone.proved then null when alone.was_tried then -1 else 0 end
  from alone
 where l.feed_id = alone.feed_id and l.unit_id = alone.unit_id
returning l.unit_id, alone.proved
