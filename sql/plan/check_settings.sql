-- Whether $2 is still the fingerprint of the settings that receiver $1 was registered with last; whether it is paused; and whether a
-- dump was restored in place of the database that it was fed from. Reads only, under the plan's own snapshot.
select coalesce(r.settings = $2, true), r.paused_at is not null,
       coalesce(i.table_oid <> 'rentsync.source_identity'::regclass::oid::bigint, false)
  from (select) as one
  left join rentsync.receiver r on r.receiver = $1
  left join rentsync.source_identity i on i.receiver = $1
