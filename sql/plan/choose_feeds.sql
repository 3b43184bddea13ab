-- The idle feeds of receiver $1 that have news, each with what was touched: the next $5 after feed $4, of the
-- properties $2 (null: of all, the sweep), at $3 (null: now). The last column says how many units there are to look at, about: of
-- either side at most $8, which fill a batch, and at most $6 because they are owed; of the owed one more is counted, so that a plan
-- knows whether it settles all of them. $7: every idle feed is to be compared as a whole; so is one of which more than $8 units were
-- touched, because naming them would cost more. None beyond feed $9 (null: all). $10: only those that did not fail last, or (false)
-- only those that did, which a probe wakes (null: all). Of the properties nothing is read: one that can't be must not be in the way
-- of the others.
--
-- Which feeds are looked at is found first, each way by its index, and of the other way nothing is read: in one condition the plan,
-- which is made once for both, would walk all feeds for one edit.
--
-- News is: a transaction that the feed's cursor does not see, or something owed, or a snapshot due, or no cursor yet.
-- Whether a feed is idle is asked of the open syncs, so that settling one never writes to its feed. Reads only, as a preview
-- needs it; the planner adds `for no key update of f`, in its REPEATABLE READ transaction, by the right to plan.
select f.feed_id, f.property_id, f.external_id, f.enabled, f.property_hash, f.property_owed, f.digest, f.units,
       (select count(*) from (select from rentsync.ledger l
                               where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null
                               limit $6::bigint + 1) as owed),
       (select coalesce(sum(w.units), 0)::bigint from rentsync.withheld w
         where w.feed_id = f.feed_id and not rentsync.is_owed(w.kind)),
       f.snapshot_due, f.snapshot_run, f.bisection, f.bisection_waited, f.sequence_offset,
       f.cursor is null or news.whole or $7,
       news.unit_ids,
       least(news.oldest_change, f.owed_since),
       case when f.cursor is null or news.whole or $7 or f.snapshot_due is not null
            then (select count(*) from (select from rentsync.source_unit() s where s.property_id = f.property_id limit $8) as source)
               + (select count(*) from (select from rentsync.ledger l where l.feed_id = f.feed_id limit $8) as ledger)
            else coalesce(cardinality(news.unit_ids), 0)
               + (select count(*) from (select from rentsync.ledger l
                                         where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null
                                         limit $6) as owed)
       end
  from rentsync.feed f
 cross join lateral (
       select coalesce(bool_or(change.unit_ids is null), false) or count(touched.unit_id) > $8 as whole,
              case when count(touched.unit_id) <= $8
                   then array_agg(distinct touched.unit_id) filter (where touched.unit_id is not null) end as unit_ids,
              min(change.occurred_at) as oldest_change
         from rentsync.news(f.property_id, f.cursor) as change
         left join lateral unnest(change.unit_ids) as touched (unit_id) on true
       ) as news
 where f.feed_id = any (array(
           select named.feed_id from rentsync.feed named
            where named.receiver = $1 and named.property_id = any ($2::bigint[])
            union all
           select next.feed_id from rentsync.feed next
            where $2 is null and next.receiver = $1 and next.feed_id > $4 and ($9::bigint is null or next.feed_id <= $9)))
   and f.feed_id > $4
   and f.paused_because is null
   and ($10::boolean is null or $10 = (f.cooldown_until is null and f.bisected_sync is null and f.bisection is null and f.failures = 0))
   and (f.cooldown_until is null or f.cooldown_until <= coalesce($3, clock_timestamp()) or not $10 and f.cooldown_because = 'exhausted')
   and not exists (select from rentsync.sync_feed s where s.feed_id = f.feed_id and s.is_open)
   and ($7
     or f.cursor is null
     or news.oldest_change is not null
     or f.property_owed is not null
     or f.snapshot_due is not null
     or exists (select from rentsync.ledger l
                 where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null))
 order by f.feed_id
 limit $5
