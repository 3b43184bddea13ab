-- How many holds over receiver $1 (null: over any) there are, those that were settled as well if $2. Reads only.
select count(*) from rentsync.hold h where ($1::text is null or h.receiver = $1) and ($2 or h.state = 'open')
