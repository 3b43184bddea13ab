-- Whose trouble is the answer to sync $2 about feed $3 (of a batch, any of its feeds)? Whether receiver $1 acknowledged another sync
-- since the first of the last $5 tries about the feed began, as far as those are of one row of failures; where $4, an answer that may
-- be about the property alone, also since it was last paused for one. How many of those tries were answered 429. Whether nothing of the
-- feed was acknowledged last; whether something that the sync carries was refused before; and whether two of the feed's syncs
-- were exhausted since it is searched for bad units; and whether the sync before was. A redelivery begins a new row. Reads only.
with tries as (
    select a.started_at, a.status, a.outcome, row_number() over (order by sf.sequence desc, a.lease desc) as place
      from rentsync.sync_feed sf
      join rentsync.sync s using (sequence)
      join rentsync.attempt a using (sequence)
     where sf.feed_id = $3 and sf.sequence <= $2 and a.started_at >= coalesce(s.redelivered_at, s.sealed_at)
     order by sf.sequence desc, a.lease desc
     limit $5
), failures as (
    select * from tries
     where place < coalesce((select min(place) from tries where outcome = 'delivered'), place + 1)
)
select exists (
       select from rentsync.sync s
        where s.receiver = $1 and s.state = 'delivered' and s.sequence <> $2
          and s.settled_at >= least((select min(started_at) from failures),
                                    case when $4 then (select r.doubted_at from rentsync.receiver r where r.receiver = $1) end)) as others_acknowledged,
       (select count(*) from failures where status = 429) as limited,
       coalesce(f.failures > 0, false) as feed_fails,
       exists (select from rentsync.ledger l where l.feed_id = f.feed_id and l.sequence = $2 and l.refusals > 0) as was_refused,
       (select count(*) from rentsync.sync_feed sf join rentsync.sync s using (sequence)
         where sf.feed_id = f.feed_id and sf.sequence >= f.bisected_sync and s.state = 'exhausted') > 1 as is_searched,
       coalesce((select s.state = 'exhausted' from rentsync.sync_feed sf join rentsync.sync s using (sequence)
                  where sf.feed_id = asked.feed_id and sf.sequence < $2 order by sf.sequence desc limit 1), false) as was_exhausted
  from (select $3::bigint as feed_id) as asked
  left join rentsync.feed f using (feed_id)
