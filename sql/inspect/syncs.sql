-- The newest syncs, at most $5: of receiver $1, property $2, state $3, sync ID $4, with a number below $6, each null for all. property_id is null
-- where a sync is about several properties. The sequence is that of
-- its body, the number that of the table. Reads only.
select s.sync_id as id, s.receiver,
       case when about.properties = 1 then about.property_id end as property_id, about.properties,
       s.sequence + s.sequence_offset as sequence, s.sequence as number, s.sync_type, s.state, s.units, s.removed_units, s.body_bytes,
       s.attempts, s.sealed_at, s.due_at, s.settled_at
  from rentsync.sync s
 cross join lateral (
       select count(*) as properties, min(f.property_id) as property_id
         from rentsync.sync_feed sf join rentsync.feed f using (feed_id)
        where sf.sequence = s.sequence
       ) as about
 where ($1::text is null or s.receiver = $1)
   and ($2::bigint is null
     or exists (select from rentsync.sync_feed sf join rentsync.feed f using (feed_id)
                 where sf.sequence = s.sequence and f.property_id = $2))
   and ($3::text is null or s.state = $3)
   and ($4::text is null or s.sync_id = $4)
   and ($6::bigint is null or s.sequence < $6)
 order by s.sequence desc
 limit $5
