-- What the sealed syncs are about: sync $1, feed $2, whether it is open $3, the property's digest afterwards $4; and which
-- units they carry: sync $5, feed $6, unit $7, whether it is gone $8. Locks nothing that exists. The unique index on open
-- syncs refuses a second one for a feed, whatever the planner believed.
insert into rentsync.sync_feed (sequence, feed_id, is_open, digest, units, gone)
select about.sequence, about.feed_id, about.is_open, about.digest, coalesce(carried.units, '{}'), coalesce(carried.gone, '{}')
  from unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::bytea[]) as about (sequence, feed_id, is_open, digest)
  left join (
       select sequence, feed_id,
              array_agg(unit_id) filter (where not is_gone) as units, array_agg(unit_id) filter (where is_gone) as gone
         from unnest($5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[]) as unit (sequence, feed_id, unit_id, is_gone)
        group by sequence, feed_id
       ) as carried using (sequence, feed_id)
