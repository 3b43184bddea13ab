-- Seals syncs of receiver $1 at $2, as a probe or not ($3), one row an element of $4 to $16. Locks nothing that exists. A snapshot's
-- later parts wait for the ones before them. What they are about is noted by note_feeds.
insert into rentsync.sync
    (sequence, sync_id, receiver, sync_type, state, snapshot_id, part, parts, probe, units, removed_units, body_bytes, body,
     oldest_change, run_id, sequence_offset, sealed_at, due_at)
select sealed.sequence, sealed.sync_id, $1, sealed.sync_type, case when sealed.part = 1 then 'open' else 'waiting' end,
       sealed.snapshot_id, sealed.part, sealed.parts, $3, sealed.units, sealed.removed_units,
       sealed.body_bytes, sealed.body, sealed.oldest_change, sealed.run_id, sealed.sequence_offset, $2::timestamptz, case when sealed.part = 1 then $2 end
  from unnest($4::bigint[], $5::text[], $6::text[], $7::uuid[], $8::integer[], $9::integer[], $10::integer[],
              $11::integer[], $12::integer[], $13::bytea[], $14::timestamptz[], $15::bigint[], $16::bigint[])
       as sealed (sequence, sync_id, sync_type, snapshot_id, part, parts, units, removed_units, body_bytes, body,
                  oldest_change, run_id, sequence_offset)
