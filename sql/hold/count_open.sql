-- How many holds of receiver $1 are open. Reads only.
select count(*) from rentsync.hold h where h.receiver = $1 and h.state = 'open'
