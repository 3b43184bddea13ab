-- The sealed body of sync $1, or why there is none any more. Reads only.
select body, body_gone from rentsync.sync where sequence = $1
