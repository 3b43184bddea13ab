-- How many requests receiver $1 bears at once and when the next may begin, at $2 (null: now), which is the third value; whether it is
-- paused. Locks its row, so that relays take turns at leasing and settling: their requests together keep its limits.
select concurrency, paced_until, coalesce($2, clock_timestamp()), paused_at is not null
  from rentsync.receiver
 where receiver = $1
   for no key update
