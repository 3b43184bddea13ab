-- Units and removals in syncs that are sealed for receiver $1 and not settled. Two states by an index each: both at once would read all
-- that was ever sealed. Reads only.
select coalesce(sum(units), 0)::bigint
  from (select s.units + s.removed_units as units from rentsync.sync s where s.receiver = $1 and s.state = 'open'
         union all
        select s.units + s.removed_units from rentsync.sync s where s.receiver = $1 and s.state = 'waiting') as under_way
