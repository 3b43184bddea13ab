-- After part $2 of snapshot $1 (pairwise) comes the next: it is due at $3 (null: now), and its feed waits for it. Locks
-- those rows.
with opened as (
    update rentsync.sync s
       set state = 'open', due_at = coalesce($3, clock_timestamp())
      from unnest($1::uuid[], $2::integer[]) as delivered (snapshot_id, part)
     where s.snapshot_id = delivered.snapshot_id and s.part = delivered.part + 1 and s.state = 'waiting'
    returning s.sequence
)
update rentsync.sync_feed f set is_open = true from opened where f.sequence = opened.sequence
