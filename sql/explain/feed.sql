-- How feed $1 stands at $3 (null: now), and what is known of unit $2 in it: the sync that it was sealed in last, the sync that is open, the
-- removal that was acknowledged, the hold that its removal waits in, and another property of which the receiver has it. Reads only.
select f.paused_because, f.snapshot_due,
       case when f.cooldown_until > coalesce($3, clock_timestamp()) then f.cooldown_until end as cooldown_until,
       f.cooldown_because is not distinct from 'exhausted' as wakes_when_any_is_acknowledged,
       f.cooldown_because is not distinct from 'unreadable' as is_unreadable,
       f.cursor is null as is_new,
       (select h.hold_id from rentsync.hold h
         where h.receiver = f.receiver and h.state = 'open'
           and case l.withheld when 'held' then h.feed_id = f.feed_id when 'guarded' then h.feed_id is null end) as hold_id,
       l.withheld_at, l.sequence as last_sequence,
       last.sync_id as last_sync_id, last.state as last_state, last.sealed_at as last_sealed_at, last.settled_at as last_settled_at,
       open.sync_id as open_sync_id, coalesce(open.attempts, 0) as open_attempts, open.due_at as open_due_at,
       coalesce(open.leased_until > coalesce($3, clock_timestamp()), false)
           and (open.relay_id is null or exists (select from rentsync.live_relay live where live.relay_id = open.relay_id))
           as open_is_leased,
       b.purged_at, b.sequence as purged_sequence,
       elsewhere.property_id as elsewhere
  from rentsync.feed f
  left join rentsync.ledger l on l.feed_id = f.feed_id and l.unit_id = $2
  left join rentsync.sync last on last.sequence = l.sequence
  left join rentsync.purged_tombstone b on b.feed_id = f.feed_id and b.unit_id = $2
  left join lateral (
       select s.sync_id, s.attempts, s.due_at, s.leased_until, s.relay_id
         from rentsync.sync_feed sf join rentsync.sync s using (sequence)
        where sf.feed_id = f.feed_id and sf.is_open
       ) as open on true
  left join lateral (
       select g.property_id
         from rentsync.ledger other join rentsync.feed g on g.feed_id = other.feed_id and g.receiver = f.receiver
        where l.withheld = 'elsewhere' and other.unit_id = $2 and other.feed_id <> f.feed_id and other.sequence is not null
        order by other.hash is null, g.property_id
        limit 1
       ) as elsewhere on true
 where f.feed_id = $1
