-- The newest syncs, at most $5: of receiver $1, property $2, state $3, sync ID $4, with a number below $6, each null for all. property_id is
-- null where a sync is about several properties. The sequence is that of its body, the number that of the table. Reads only: those of a
-- property by its feeds, the newest first, because looked for among all they could be anywhere.
with chosen as materialized (
    select of_feed.sequence
      from rentsync.feed f
     cross join lateral (
           select sf.sequence
             from rentsync.sync_feed sf
            cross join lateral (select * from rentsync.sync s where s.sequence = sf.sequence offset 0) as s
            where sf.feed_id = f.feed_id and ($6::bigint is null or sf.sequence < $6)
              and ($3::text is null or s.state = $3) and ($4::text is null or s.sync_id = $4)
            order by sf.sequence desc
            limit $5
           ) as of_feed
     where f.property_id = $2::bigint and ($1::text is null or f.receiver = $1)
    union all
    select any_sync.sequence
      from (select s.sequence
              from rentsync.sync s
             where $2::bigint is null and ($1::text is null or s.receiver = $1) and ($6::bigint is null or s.sequence < $6)
               and ($3::text is null or s.state = $3) and ($4::text is null or s.sync_id = $4)
             order by s.sequence desc
             limit $5) as any_sync
)
select s.sync_id as id, s.receiver,
       case when about.properties = 1 then about.property_id end as property_id, about.properties,
       s.sequence + s.sequence_offset as sequence, s.sequence as number, s.sync_type, s.state, s.units, s.removed_units, s.body_bytes,
       s.attempts, s.sealed_at, s.due_at, s.settled_at
  from chosen
 cross join lateral (select * from rentsync.sync s where s.sequence = chosen.sequence offset 0) as s
 cross join lateral (
       select count(*) as properties, min(f.property_id) as property_id
         from rentsync.sync_feed sf join rentsync.feed f using (feed_id)
        where sf.sequence = s.sequence
       ) as about
 order by s.sequence desc
 limit $5
