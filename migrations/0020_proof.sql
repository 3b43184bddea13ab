-- Proof: what is refused without it is of two kinds.

comment on column rentsync.ledger.bisection is 'Sent only together with units of the same number: a request about them and others was rejected. Of one that is refused: nothing has shown yet that it is the unit; 0: sent once more when the receiver acknowledges anything; -1: the receiver failed on it, sent once more after a while.';
drop index rentsync.ledger_unproved;
create index ledger_unproved on rentsync.ledger (feed_id) where bisection <= 0 and withheld = 'refused';
