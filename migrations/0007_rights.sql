-- Rights: the outbox without a number of its own, and the attachment as what the trigger functions go by.
--
-- rentsync.outbox.id goes with `install`, in a transaction of its own (sql/capture/drop_outbox_id.sql): this one holds its locks
-- for as long as `install` takes, and an insert into the outbox must wait for none of it.

comment on table rentsync.attachment is
    'The tables that carry the triggers. A trigger function does nothing for any other table, so only the owner writes here.';
