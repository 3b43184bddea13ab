-- Receiver $1 failed $2 deliveries since it last acknowledged one, or acknowledged some ($3); it is overburdened if $4; it bears
-- $5 requests at once at most. Additive increase, multiplicative decrease (RFC 5681's idea). Locks its row, unless nothing changes. Says how
-- many deliveries in a row failed.
update rentsync.receiver
   set failures    = case when $3 then 0 else failures end + $2,
       concurrency = case when $4 then greatest(1, coalesce(least(concurrency, $5), $5) / 2)
                          when $3 and concurrency + 1 < $5 then concurrency + 1
                          when $3 then null
                          else concurrency end,
       waits         = case when $3 then 0 else waits end,
       waiting_since = case when not $3 then waiting_since end
 where receiver = $1
   and ($2 > 0 or $4 or ($3 and (failures > 0 or concurrency is not null or waiting_since is not null)))
returning failures
