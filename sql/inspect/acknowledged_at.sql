-- Since when alert $1 is acknowledged, or over by itself. Reads only.
select acked_at from rentsync.alert where alert_id = $1
