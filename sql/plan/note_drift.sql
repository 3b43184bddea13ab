-- Notes differences that no change had announced: feed $1, unit $2, what the ledger has $3, what the source has $4,
-- which fields differ $6, at $5 (null: now). They belong to the feed's run, if it is part of one. Locks nothing that exists.
insert into rentsync.drift (run_id, feed_id, unit_id, ledger_hash, source_hash, differs, found_at)
select f.snapshot_run, found.feed_id, found.unit_id, found.ledger_hash, found.source_hash, found.differs,
       coalesce($5, clock_timestamp())
  from unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[], $6::text[])
       as found (feed_id, unit_id, ledger_hash, source_hash, differs)
  join rentsync.feed f using (feed_id)
