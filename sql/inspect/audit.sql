-- What persons had the relay change since $2 (null: ever), about receiver $1 (null: about any or none), the newest first, at most $3.
-- The relay's role may add rows of any time: one of the future was made up, and keeps nothing from being seen. Reads only, by the
-- index over time.
select audit_id as id, at, who, through, action, receiver, subject, before, after
  from rentsync.audit
 where ($1::text is null or receiver = $1) and ($2::timestamptz is null or at >= $2)
   and at <= clock_timestamp()
 order by at desc, audit_id desc
 limit $3
