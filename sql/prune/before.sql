-- What is older than this may go: $2 seconds before $1 (null: now). Reads only.
select coalesce($1, clock_timestamp()) - make_interval(secs => $2)
