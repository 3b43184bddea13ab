-- Leases up to $5 due syncs of receiver $1 for relay $7, whose name is $2, until $4 seconds from $3 (null: now), and writes their
-- attempts. With those that any living relay has leased already they are at most $6, and of these at most this relay's share has
-- this relay: none can have all places, so that one that dies stops nobody.
--
-- Locks the rows it leases; the receiver's row is locked already. A lease that ran out without an outcome counts as lost, and so
-- does one whose relay is dead. This relay's own leases are its own until they run out, also while its heartbeat has lapsed.
-- Where the receiver is paused nothing is due but a probe, which waits for no silence asked for. Nothing is sent before this
-- commits.
with sharing as (
    select greatest(1, count(*)) as relays from rentsync.live_relay where $1 = any (receivers)
), busy as (
    select count(*) as leased, count(*) filter (where s.relay_id = $7) as own
      from rentsync.sync s
     where s.receiver = $1 and s.state = 'open' and s.leased_until > coalesce($3, clock_timestamp())
       and (s.relay_id is null or s.relay_id = $7 or exists (select from rentsync.live_relay live where live.relay_id = s.relay_id))
), due as (
    select s.sequence
      from rentsync.sync s
      join rentsync.receiver r using (receiver)
     where s.receiver = $1 and s.state = 'open'
       and s.due_at <= coalesce($3, clock_timestamp())
       and (s.leased_until is null or s.leased_until <= coalesce($3, clock_timestamp())
         or s.relay_id <> $7 and not exists (select from rentsync.live_relay live where live.relay_id = s.relay_id))
       and (r.paused_at is null or s.probe)
       and (r.paused_at is not null or r.wait_until is null or r.wait_until <= coalesce($3, clock_timestamp()))
     order by s.due_at, s.sequence
     limit (select greatest(0, least($5, $6 - busy.leased, ceil($6::numeric / sharing.relays)::bigint - busy.own)) from sharing, busy)
       for no key update of s skip locked
), leased as (
    update rentsync.sync s
       set lease = s.lease + 1,
           lost = case when s.leased_until is null then s.lost else s.lost + 1 end,
           leased_until = coalesce($3, clock_timestamp()) + make_interval(secs => $4),
           relay_id = $7
      from due
     where s.sequence = due.sequence
    returning s.*
), noted as (
    insert into rentsync.attempt (sequence, lease, relay, started_at)
    select sequence, lease, $2, coalesce($3, clock_timestamp()) from leased
)
select leased.sequence, leased.lease, leased.sync_id, leased.sync_type, leased.snapshot_id, leased.part, leased.parts,
       leased.probe, leased.units, leased.removed_units, leased.body, leased.attempts, leased.lost, r.waits,
       coalesce(leased.redelivered_at, leased.sealed_at),
       coalesce($3, clock_timestamp()), about.feeds, about.properties, about.external_ids
  from leased
  join rentsync.receiver r on r.receiver = leased.receiver
 cross join lateral (
       select array_agg(f.feed_id order by f.feed_id) as feeds,
              array_agg(f.property_id order by f.feed_id) as properties,
              array_agg(coalesce(f.external_id, f.property_id::text) order by f.feed_id) as external_ids
         from rentsync.sync_feed sf
        cross join lateral (select * from rentsync.feed f where f.feed_id = sf.feed_id offset 0) as f
        where sf.sequence = leased.sequence
       ) as about
 order by leased.sequence
