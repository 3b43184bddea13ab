-- Where a snapshot of feed $1 found that unit $2 differed though no change had announced it, the newest $3. Reads only.
select found_at, differs from rentsync.drift where feed_id = $1 and unit_id = $2 order by found_at desc, drift_id desc limit $3
