-- Notes that receiver $1 is at address $2. Says where it was before, if that is another place. Locks its row.
with before as materialized (
    select address from rentsync.receiver where receiver = $1 for update
)
update rentsync.receiver r
   set address = $2
  from before
 where r.receiver = $1 and before.address is distinct from $2
returning before.address
