-- Units and removals in syncs that are sealed for receiver $1 and not settled. Reads only.
select coalesce(sum(s.units + s.removed_units), 0)::bigint from rentsync.sync s
 where s.receiver = $1 and s.state in ('open', 'waiting')
