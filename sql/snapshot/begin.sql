-- Begins a run of receiver $1 because of $2, of property $3 only (null: of all), at $4 (null: now). Locks nothing that exists.
insert into rentsync.snapshot_run (receiver, reason, property_id, started_at)
values ($1, $2, $3, coalesce($4, clock_timestamp()))
returning run_id
