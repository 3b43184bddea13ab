-- How many requests receiver $1 bears at once and when the next may begin; what is now, at $2 (null: by the clock); whether it is paused,
-- and whether it failed since it last acknowledged anything. Locks its row, so that relays take turns at leasing and settling: their
-- requests together keep its limits.
select concurrency, paced_until, coalesce($2, clock_timestamp()) as now, paused_at is not null as is_paused, failures > 0 as has_failed
  from rentsync.receiver
 where receiver = $1
   for no key update
