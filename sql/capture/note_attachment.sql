-- Notes the tables $1 (properties) and $2 (units) before the trigger functions are written, which have their oids in the text.
-- What stands is left to rentsync.attach, which refuses to be given other tables. Locks no row that a trigger reads.
insert into rentsync.attachment (source, table_name, tolerant)
values ('property', $1::text::regclass, false), ('unit', $2::text::regclass, false)
on conflict (source) do nothing
