-- A unit that is sealed again changes its hash and its sequence, and no index has to know: then the row stays on its page and no
-- index is written (a heap-only update). So no index has the sequence, and pages are left room. Pages that are full get it with
-- their next vacuum.
-- Locks the ledger against writes of the relay while the index of tombstones, which are few, is made.

drop index rentsync.ledger_tombstone;
create index ledger_tombstone on rentsync.ledger (feed_id) where removed is not null;
alter table rentsync.ledger set (fillfactor = 50);
