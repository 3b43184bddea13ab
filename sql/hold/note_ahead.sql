-- Notes for receiver $1 how many units may be gone from the source at most that no plan has looked at yet ($2), as this
-- transaction's snapshot has it, and since when so many are known to be gone that none may be sealed ($3: true: $4, null: now;
-- false: they aren't; null: as it was). Locks the receiver's counts.
insert into rentsync.receiver_count as c (receiver, ahead, ahead_seen, doubted_at)
select $1, $2, pg_current_snapshot(), case when $3 then coalesce($4, clock_timestamp()) end
on conflict (receiver) do update
   set ahead = excluded.ahead, ahead_seen = excluded.ahead_seen,
       doubted_at = case when $3 is null then c.doubted_at else excluded.doubted_at end
