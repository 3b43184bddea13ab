-- Whether receiver $1 took any other sync since $2 was sealed. Reads only.
select exists (
       select from rentsync.sync s
        where s.receiver = $1 and s.state = 'delivered'
          and s.settled_at >= (select sealed_at from rentsync.sync where sequence = $2))
