-- Forgets the attachments to tables that are no more, so that those that have their names now are attached. Locks those rows.
delete from rentsync.attachment a where not exists (select from pg_class c where c.oid = a.table_name)
