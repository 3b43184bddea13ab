-- The syncs of feed $1 that carry unit $2 or its removal, the newest first, at most $3. Reads only.
select s.sequence, s.sync_id, s.sync_type, s.part, s.parts, s.probe, s.state, s.sealed_at, s.settled_at, s.redelivered_at,
       coalesce($2 = any (sf.gone), false) as is_gone
  from rentsync.sync_feed sf
  join rentsync.sync s using (sequence)
 where sf.feed_id = $1 and ($2 = any (sf.units) or $2 = any (sf.gone))
 order by s.sequence desc
 limit $3
