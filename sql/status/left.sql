-- What is owed and not delivered for receivers $1: open syncs, and feeds that rest after one was given up. Reads only.
select (select count(*) from rentsync.sync where receiver = any ($1) and state = 'open')
     + (select count(*) from rentsync.feed where receiver = any ($1) and rest_until is not null)
