-- How the feed of property $2 to receiver $1 is set; no row where there is none. Reads only.
select enabled, paused_because, external_id from rentsync.feed where receiver = $1 and property_id = $2
