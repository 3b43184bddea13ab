-- The sealed body of sync $1, unless it was pruned. Reads only.
select body from rentsync.sync where sequence = $1
