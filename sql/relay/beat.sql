-- Relay $1, whose name is $2, lives. Nothing is changed where its row is gone. Locks its row for a moment; a beat that a crash
-- forgets is made up for by the next, so its commit is not waited for.
update rentsync.relay set beat_at = clock_timestamp()
 where relay_id = $1 and name = $2
returning set_config('synchronous_commit', 'off', true)
