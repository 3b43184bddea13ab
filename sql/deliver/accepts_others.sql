-- Whether receiver $1 took any other sync since the last try but one of sync $2 began (since it was sealed, if it had but one):
-- between two failures of this one it was not down. Reads only.
select exists (
       select from rentsync.sync s
        where s.receiver = $1 and s.state = 'delivered'
          and s.settled_at >= coalesce(
              (select a.started_at from rentsync.attempt a where a.sequence = $2 order by a.lease desc offset 1 limit 1),
              (select sealed_at from rentsync.sync where sequence = $2)))
