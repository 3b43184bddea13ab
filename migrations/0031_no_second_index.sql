-- Of the withheld units there are two indexes, by feed and by unit. The second answers nothing that ledger_unit does not, and it did harm:
-- after a quiet time PostgreSQL takes either for empty, so that what asks for one feed's refused units read all of them by this one, once
-- for each feed. By the other it reads that feed's.
drop index rentsync.ledger_withheld_unit;
