-- Takes up to $5 due syncs of receiver $1 for relay $2, until $4 seconds from $3 (null: now), and writes their attempts.
--
-- Locks the rows it takes, skipping those another relay is taking. A lease that ran out without an outcome counts as
-- lost. Where the receiver is paused nothing is due, except to a probe ($6). Nothing is sent before this commits.
with taken as (
    select s.sequence
      from rentsync.sync s
      join rentsync.receiver r using (receiver)
     where s.receiver = $1 and s.state = 'open'
       and s.due_at <= coalesce($3, clock_timestamp())
       and (s.leased_until is null or s.leased_until <= coalesce($3, clock_timestamp()))
       and (r.paused_at is null or $6)
       and (r.wait_until is null or r.wait_until <= coalesce($3, clock_timestamp()))
     order by s.due_at, s.sequence
     limit $5
       for update of s skip locked
), leased as (
    update rentsync.sync s
       set lease = s.lease + 1,
           lost = case when s.leased_until is null then s.lost else s.lost + 1 end,
           leased_until = coalesce($3, clock_timestamp()) + make_interval(secs => $4)
      from taken
     where s.sequence = taken.sequence
    returning s.*
), noted as (
    insert into rentsync.attempt (sequence, lease, relay, started_at)
    select sequence, lease, $2, coalesce($3, clock_timestamp()) from leased
)
select leased.sequence, leased.lease, leased.sync_id, leased.feed_id, f.property_id, leased.removed_units > 0, leased.body,
       leased.attempts, leased.lost, leased.sealed_at, coalesce($3, clock_timestamp())
  from leased
  join rentsync.feed f using (feed_id)
