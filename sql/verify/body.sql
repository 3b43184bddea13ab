-- The sealed body of sync $1; null where it was pruned or erased. Reads only.
select body from rentsync.sync where sequence = $1
