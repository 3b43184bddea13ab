-- Every feed ($1: of this receiver, $2: of this property, null: of all) behind the one of receiver $3 and property $4 (null: from the
-- beginning), the first $5 (null: all), and how it stands. Reads only; feeds
-- are chosen first, in the order of an index, so that a page costs what it shows.
select f.feed_id as id, f.receiver, f.property_id, f.external_id,
       case when f.paused_because is not null then 'paused: ' || f.paused_because
            when open.attempts > 0 then 'retrying'
            when open.sequence is not null then 'delivering'
            when f.cooldown_until is not null then 'in cooldown (' || f.cooldown_because || ')'
            when f.bisected_sync is not null then 'looking for what was rejected'
            when f.snapshot_due is not null then 'due a snapshot (' || f.snapshot_due || ')'
            when f.cursor is null then 'new'
            when not f.enabled then 'disabled'
            else 'idle'
       end as state,
       ledger.units, ledger.owed, ledger.withheld,
       last.numbered as last_sequence, last.settled_at as last_delivered
  from (select f.*
          from rentsync.feed f
         where ($1::text is null or f.receiver = $1) and ($2::bigint is null or f.property_id = $2)
           and ($3::text is null or (f.receiver, f.property_id) > ($3, $4::bigint))
         order by f.receiver, f.property_id
         limit $5) as f
  left join lateral (
       select s.sequence, s.attempts from rentsync.sync_feed sf join rentsync.sync s using (sequence)
        where sf.feed_id = f.feed_id and sf.is_open
       ) as open on true
 cross join lateral (
       select count(l.hash) filter (where l.removed is null) as units, count(l.owed) as owed, count(l.withheld) as withheld
         from rentsync.ledger l where l.feed_id = f.feed_id
       ) as ledger
  left join lateral (
       select s.sequence + s.sequence_offset as numbered, s.settled_at
         from (select sf.sequence from rentsync.sync_feed sf where sf.feed_id = f.feed_id order by sf.sequence desc offset 0) as sf
        cross join lateral (select * from rentsync.sync s where s.sequence = sf.sequence and s.state = 'delivered' offset 0) as s
        limit 1
       ) as last on true
 order by f.receiver, f.property_id
