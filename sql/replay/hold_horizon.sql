-- Since when nothing was pruned; null: nothing ever was. Locks the horizon, so that nothing is pruned before this
-- transaction ends.
select nullif(pruned_before, '-infinity') from rentsync.horizon for share
