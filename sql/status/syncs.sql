-- The newest syncs, at most $5: of receiver $1, property $2, state $3, sync ID $4, each null for all. Reads only.
select s.sync_id as id, s.receiver, f.property_id, s.sequence, s.sync_type, s.state, s.units, s.removed_units, s.body_bytes,
       s.attempts, s.sealed_at, s.due_at, s.settled_at
  from rentsync.sync s
  join rentsync.feed f using (feed_id)
 where ($1::text is null or s.receiver = $1)
   and ($2::bigint is null or f.property_id = $2)
   and ($3::text is null or s.state = $3)
   and ($4::text is null or s.sync_id = $4)
 order by s.sequence desc
 limit $5
