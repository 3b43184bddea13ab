-- Whether receiver $1, which is paused, answered any of the last $2 tries before that with a rejection: then one more rejection is
-- no sign that it is back. Reads so many tries, the newest first.
select coalesce(bool_or(tried.outcome = 'rejected'), false)
  from (select a.outcome
          from rentsync.receiver r
          join rentsync.sync s on s.receiver = r.receiver
          join rentsync.attempt a using (sequence)
         where r.receiver = $1 and a.finished_at <= r.paused_at
         order by s.sequence desc, a.lease desc
         limit $2) as tried
