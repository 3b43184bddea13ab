-- Whether a hold over receiver $1 grew since that was said last, and that is $3 seconds ago at $2 (null: now). Reads only, one
-- entry of an index.
select exists (select from rentsync.hold h
                where h.receiver = $1 and h.state = 'open' and h.grown_at > coalesce(said.at, '-infinity'))
   and coalesce(said.at <= coalesce($2, clock_timestamp()) - make_interval(secs => $3), true)
  from (select max(a.last_at) as at
          from rentsync.alert a
         where a.kind = 'hold' and a.receiver = $1 and a.acked_at is null) as said
