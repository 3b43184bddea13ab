-- What became of hold $1 of receiver $2, and when, if it is settled. Reads only.
select h.state, h.settled_at from rentsync.hold h where h.hold_id = $1 and h.receiver = $2 and h.settled_at is not null
