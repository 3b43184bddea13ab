-- What snapshots found that no change had announced, the newest first, at most $3: of receiver $1, property $2, each null
-- for all. Reads only.
select d.drift_id as id, f.receiver, f.property_id, d.unit_id, d.run_id,
       encode(d.ledger_hash, 'hex') as ledger_hash, encode(d.source_hash, 'hex') as source_hash, d.differs, d.found_at
  from rentsync.drift d
  join rentsync.feed f using (feed_id)
 where ($1::text is null or f.receiver = $1)
   and ($2::bigint is null or f.property_id = $2)
 order by d.drift_id desc
 limit $3
