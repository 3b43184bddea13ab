-- Since when nothing was pruned; null: nothing ever was. Reads only.
select nullif(pruned_before, '-infinity') from rentsync.horizon
