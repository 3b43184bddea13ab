-- The receiver calls what it was sent of feed $1 stale, at $2 (null: now): the numbers of this feed, and of no other, are raised
-- by $3 at least (null: nothing can be raised above what it has), and the next sync is a snapshot, after $4 seconds. Where one
-- was due for the same reason within the hour before, or nothing can be raised, the feed rests until an hour is over. Locks
-- the feed. Says whether it rests so long.
with moment as (
    select coalesce($2, clock_timestamp()) as now
), before as (
    select f.feed_id, f.stale_at, coalesce(f.stale_at > moment.now - interval '1 hour', false) as again
      from rentsync.feed f, moment
     where f.feed_id = $1
       for no key update of f
), rest as (
    select before.feed_id, before.again or $3::bigint is null as rests,
           case when before.again   then before.stale_at + interval '1 hour'
                when $3::bigint is null     then moment.now + interval '1 hour'
                else moment.now + make_interval(secs => $4) end as until,
           moment.now
      from before, moment
)
update rentsync.feed f
   set sequence_offset = greatest(f.sequence_offset, $3),
       snapshot_due    = 'numbering',
       stale_at        = case when rest.rests then rest.until else rest.now end,
       cooldown_until      = rest.until,
       cooldown_because    = case when rest.rests then 'stale again' else 'stale' end
  from rest
 where f.feed_id = rest.feed_id
returning rest.rests
