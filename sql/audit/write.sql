-- Notes that $1 did $3 through $2 (command, page or api), for receiver $4 (null: for none), to $5, which was as $6 says before and is as
-- $7 says since. Part of the transaction of what is noted; locks nothing that exists.
insert into rentsync.audit (who, through, action, receiver, subject, before, after) values ($1, $2, $3, $4, $5, $6, $7)
