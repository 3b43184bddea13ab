-- Deletes changes from before $1 that every cursor sees, of the $2 oldest, and notes how far back a replay can go from now
-- on. Says how many.
--
-- Locks the rows it deletes, which nobody else writes to, and then the horizon; passes over what is locked. An insert waits
-- for none of it. A function of the owner's does it (sql/capture/functions.sql), because the relay's role may not delete there.
select rentsync.forget_changes($1, $2)
