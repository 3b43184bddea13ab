-- The next request to receiver $1 may begin at $2. Its row is locked already.
update rentsync.receiver set paced_until = $2 where receiver = $1
