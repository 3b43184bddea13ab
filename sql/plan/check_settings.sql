-- Whether $2 is still the fingerprint of the settings that receiver $1 was registered with last, and whether it is
-- paused. Reads only, under the plan's own snapshot.
select coalesce(r.settings = $2, true), r.paused_at is not null
  from (select) as one
  left join rentsync.receiver r on r.receiver = $1
