-- Takes up to $5 due syncs of receiver $1 for relay $2, until $4 seconds from $3 (null: now), and writes their attempts;
-- with those that any relay has leased already they are at most $6.
--
-- Locks the rows it takes; the receiver's row is locked already. A lease that ran out without an outcome counts as lost.
-- Where the receiver is paused nothing is due but a probe, which waits for no silence asked for. Nothing is sent before this commits.
with taken as (
    select s.sequence
      from rentsync.sync s
      join rentsync.receiver r using (receiver)
     where s.receiver = $1 and s.state = 'open'
       and s.due_at <= coalesce($3, clock_timestamp())
       and (s.leased_until is null or s.leased_until <= coalesce($3, clock_timestamp()))
       and (r.paused_at is null or s.probe)
       and (r.paused_at is not null or r.wait_until is null or r.wait_until <= coalesce($3, clock_timestamp()))
     order by s.due_at, s.sequence
     limit least($5, greatest(0, $6 - (
           select count(*) from rentsync.sync busy
            where busy.receiver = $1 and busy.state = 'open' and busy.leased_until > coalesce($3, clock_timestamp()))))
       for no key update of s skip locked
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
select leased.sequence, leased.lease, leased.sync_id, leased.sync_type, leased.snapshot_id, leased.part, leased.parts,
       leased.probe, leased.units, leased.removed_units, leased.body, leased.attempts, leased.lost,
       coalesce(leased.redelivered_at, leased.sealed_at),
       coalesce($3, clock_timestamp()), about.feeds, about.properties, about.external_ids
  from leased
 cross join lateral (
       select array_agg(f.feed_id order by f.feed_id) as feeds,
              array_agg(f.property_id order by f.feed_id) as properties,
              array_agg(coalesce(f.external_id, f.property_id::text) order by f.feed_id) as external_ids
         from rentsync.sync_feed sf
         join rentsync.feed f using (feed_id)
        where sf.sequence = leased.sequence
       ) as about
 order by leased.sequence
