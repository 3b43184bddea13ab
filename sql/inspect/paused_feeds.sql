-- How many feeds of receiver $1 are paused, of property $2 only (null: of all). Reads only.
select count(*) from rentsync.feed
 where receiver = $1 and paused_because is not null and ($2::bigint is null or property_id = $2)
