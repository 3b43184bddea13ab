-- Removes changes of transactions that this server has yet to begin: they came with a dump or from a life that was lost.
-- Until it has come so far no cursor would see them, so they would be news for ever; what they announced is compared
-- anyway. A row that this statement sees was committed, and a committed transaction of this server's own is below xmax.
-- A function of the owner's does it (sql/capture/functions.sql), because the relay's role may not delete there.
select rentsync.forget_future()
