-- Searches for bad units of receiver $1 that nothing would end: units stand alone, and nothing of the feed is left to be sent in
-- halves, because it changed or is withheld for another reason. They are owed again; of at most $2 feeds. Finds the searches by their
-- index. Locks those feeds, none that somebody else has locked, and the units. Says of how many feeds.
with stuck as materialized (
    select f.feed_id
      from rentsync.feed f
     where f.receiver = $1 and f.bisected_sync is not null
       and not exists (select from rentsync.sync_feed s where s.feed_id = f.feed_id and s.is_open)
       and exists (select from rentsync.ledger l
                    where l.feed_id = f.feed_id and l.withheld = 'refused' and l.bisection is not null)
       and not exists (select from rentsync.ledger l
                        where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null and l.bisection is not null)
     limit $2
       for no key update of f skip locked
), over as (
    update rentsync.feed f
       set bisected_sync = null, bisection_accepted = false, searched = 0
      from stuck
     where f.feed_id = stuck.feed_id
), owed as (
    update rentsync.ledger l
       set withheld = null, withheld_because = null, refused_hash = null, withheld_at = null, owed = 'retry', bisection = null
      from stuck
     where l.feed_id = stuck.feed_id and l.withheld = 'refused' and l.bisection is not null
)
select count(*) from stuck
