-- How the feeds $2 of receiver $1 stand, at $3 (null: now): whether anything is owed, the newest sync, the oldest that is
-- not settled, and what keeps it from being planned. Where the receiver is paused, why; where it asked to be left alone for more
-- than $4 seconds, or $5 times in a row, until when; so also where it asked that of the feed's sync, and accepts others. Reads only.
with unsettled as (
    select sf.feed_id, min(s.sequence) as sequence,
           max(s.due_at) filter (
               where s.leased_until is null and s.due_at > coalesce($3, clock_timestamp())
                 and exists (select from rentsync.attempt a where a.sequence = s.sequence and a.lease = s.lease and a.outcome = 'wait')
                 and (s.due_at > coalesce($3, clock_timestamp()) + make_interval(secs => $4)
                   or (select count(*) from rentsync.attempt a where a.sequence = s.sequence and a.outcome = 'wait') >= $5)) as waits
      from rentsync.sync s join rentsync.sync_feed sf using (sequence)
     where s.receiver = $1 and s.state in ('open', 'waiting')
     group by sf.feed_id
)
select f.feed_id, f.property_id,
       (select count(*) from rentsync.ledger l
         where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null) as owed,
       f.property_owed is not null or f.snapshot_due is not null as is_due,
       (select max(sf.sequence) from rentsync.sync_feed sf where sf.feed_id = f.feed_id) as newest,
       unsettled.sequence as unsettled,
       case when f.paused_because is not null then 'its feed is paused: ' || f.paused_because
            when f.cooldown_because = 'stale again' and f.cooldown_until > coalesce($3, clock_timestamp())
            then 'the receiver calls it stale again and again, it is sent once an hour'
            when f.cooldown_because = 'failing' and f.cooldown_until > coalesce($3, clock_timestamp())
            then 'the receiver does not accept it, though it accepts others; it is tried again by itself'
            when f.cooldown_because = 'unreadable' and f.cooldown_until > coalesce($3, clock_timestamp())
            then 'something of it can''t be read from the source, see `alerts list`; it is tried again by itself'
            when f.cooldown_because = 'exhausted' and f.cooldown_until > coalesce($3, clock_timestamp())
            then 'its request was given up, it is sent when the receiver accepts anything again'
       end as stuck,
       r.paused_because as receiver_paused,
       case when r.wait_until > coalesce($3, clock_timestamp())
             and (r.waits >= $5 or r.wait_until > coalesce($3, clock_timestamp()) + make_interval(secs => $4))
            then r.wait_until
            else unsettled.waits end as waits_until
  from rentsync.feed f
  join rentsync.receiver r using (receiver)
  left join unsettled using (feed_id)
 where f.feed_id = any ($2)
