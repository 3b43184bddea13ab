-- Drops the tombstones of removals that were acknowledged: feed $1, sync $2, pairwise, at $3 (null: now). A replay may
-- have to send them again: they are noted as purged tombstones. Locks the rows.
with acknowledged as (
    delete from rentsync.ledger l
     using unnest($1::bigint[], $2::bigint[]) as acknowledged (feed_id, sequence)
     where l.feed_id = acknowledged.feed_id and l.sequence = acknowledged.sequence
       and l.removed is not null and l.hash is null and l.owed is null and l.withheld is null
    returning l.feed_id, l.unit_id, l.unit_code, l.sequence
)
insert into rentsync.purged_tombstone as b (feed_id, unit_id, unit_code, sequence, purged_at)
select feed_id, unit_id, unit_code, sequence, coalesce($3, clock_timestamp()) from acknowledged
on conflict (feed_id, unit_id) do update
   set unit_code = coalesce(excluded.unit_code, b.unit_code), sequence = excluded.sequence, purged_at = excluded.purged_at
