-- Gives back leases that ended with nothing sent or nothing heard because this relay stops: syncs $1, leases $2. Not a
-- try that counts. Locks the syncs.
update rentsync.sync s
   set leased_until = null
  from unnest($1::bigint[], $2::integer[]) as cut_off (sequence, lease)
 where s.sequence = cut_off.sequence and s.lease = cut_off.lease and s.state = 'open'
