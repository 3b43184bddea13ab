-- Cancels what the sessions $1, begun at $2 (pairwise), have under way. Needs no right: they are the same role's.
select pg_cancel_backend(a.pid)
  from pg_stat_activity a
  join unnest($1::integer[], $2::timestamptz[]) as own (pid, since) on own.pid = a.pid and own.since = a.backend_start
 where a.state = 'active'
