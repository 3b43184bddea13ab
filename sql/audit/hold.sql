-- How hold $1 of receiver $2 stands. Reads only.
select state from rentsync.hold where hold_id = $1 and receiver = $2
