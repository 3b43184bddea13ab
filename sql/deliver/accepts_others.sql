-- Whether receiver $1 took any other sync since the last try but one of sync $2 began (since it was sealed, if it had but one):
-- between two failures of this one it was not down. Reads only.
select exists (
       select from rentsync.sync s
        where s.receiver = $1 and s.state = 'delivered'
          and s.settled_at >= (
              select greatest(coalesce(tried.redelivered_at, tried.sealed_at),
                              (select a.started_at from rentsync.attempt a
                                where a.sequence = tried.sequence order by a.lease desc offset 1 limit 1))
                from rentsync.sync tried where tried.sequence = $2))
