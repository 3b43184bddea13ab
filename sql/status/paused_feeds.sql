-- How many feeds of receiver $1 are paused because it rejects everything about them. Reads only.
select count(*) from rentsync.feed
 where receiver = $1 and paused_because is not null and paused_because <> 'paused by command'
