-- Whether receiver $1 took any other sync since $2 was sealed, or opened again. Reads only.
select exists (
       select from rentsync.sync s
        where s.receiver = $1 and s.state = 'delivered'
          and s.settled_at >= (select coalesce(redelivered_at, sealed_at) from rentsync.sync where sequence = $2))
