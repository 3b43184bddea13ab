-- Units that receiver $1 refused and that are due to be tried again, at $2 (null: now), are owed, each by itself, and their properties
-- too where a request carries several; of at most $3 feeds. A feed that a sync is open for waits for that. Finds the
-- feeds by the index of feed.retry_at, each one's units by themselves, and these again by their place: a join would be planned for a time
-- in which nothing is refused. Locks those feeds, none that somebody else has locked, and the units. Says of how many feeds.
with moment as materialized (
    select coalesce($2, clock_timestamp()) as now
), due as materialized (
    select f.feed_id, moment.now
      from moment
      join rentsync.feed f on f.retry_at <= moment.now
     where f.receiver = $1
       and not exists (select from rentsync.sync_feed s where s.feed_id = f.feed_id and s.is_open)
     order by f.retry_at
     limit $3
       for no key update of f skip locked
), unit as materialized (
    select refused.place
      from due
     cross join lateral (
           select l.ctid as place from rentsync.ledger l
            where l.feed_id = due.feed_id and l.withheld = 'refused' and l.bisection is null and l.retry_at <= due.now
           offset 0
           ) as refused
), released as (
    update rentsync.ledger l
       set withheld = null, withheld_because = null, refused_hash = null, withheld_at = null, owed = 'retry',
           bisection = -1 - (l.unit_id & 4611686018427387903)
     where l.ctid = any (array(select place from unit))
    returning l.feed_id
), noted as (
    update rentsync.feed f
       set bisection = case when f.feed_id in (select feed_id from released) then -f.feed_id else f.bisection end,
           retry_at = (select min(l.retry_at)
                         from rentsync.ledger l
                        where l.feed_id = f.feed_id and l.withheld = 'refused' and l.bisection is null
                          and l.retry_at > due.now)
      from due
     where f.feed_id = due.feed_id
)
select count(*) from due
