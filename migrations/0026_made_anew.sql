-- What was noted of the database says as well which making of schema rentsync it was, so that a dump restored in its place is noticed;
-- and of a receiver where it is, so that another address is said. Locks both tables for a moment.

alter table rentsync.source_identity add column table_oid bigint;
comment on column rentsync.source_identity.table_oid is 'The oid of this table when it was noted: a dump restored in its place makes another.';
alter table rentsync.receiver add column address text;
comment on column rentsync.receiver.address is 'Where it is, as URLs are shown: without query and credentials. Null: not noted yet.';
