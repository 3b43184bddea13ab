-- Every receiver that was run against this database. Reads only.
select receiver from rentsync.receiver order by receiver
