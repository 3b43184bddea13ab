-- What stands in the way of sending sync $1 again: why its receiver is paused, another sync of its feeds that is not settled,
-- and the newest later one with its state. Reads only.
with other as (
    select s.sequence, s.sync_id, s.state
      from rentsync.sync_feed mine
      join rentsync.sync_feed theirs on theirs.feed_id = mine.feed_id and theirs.sequence <> mine.sequence
      join rentsync.sync s on s.sequence = theirs.sequence
     where mine.sequence = $1 and (theirs.sequence > mine.sequence or s.state in ('open', 'waiting'))
)
select r.paused_because,
       (select o.sync_id from other o where o.state in ('open', 'waiting') order by o.sequence limit 1) as unsettled,
       later.sync_id as later_id, later.state as later_state
  from rentsync.sync s
  join rentsync.receiver r using (receiver)
  left join lateral (
       select o.sync_id, o.state from other o where o.sequence > s.sequence order by o.sequence desc limit 1
       ) as later on true
 where s.sequence = $1
