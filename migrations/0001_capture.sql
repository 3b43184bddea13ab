-- Capture: an outbox in AiGent's own database, written by triggers in the same transaction as the change.
--
-- Everything here runs inside somebody else's writes. So: keys only, one row per statement and property, no
-- NOTIFY (it takes a global lock at commit), every name qualified, no lock that an insert would wait for. The functions
-- are in sql/capture/functions.sql: `install` writes them after every migration.

create table rentsync.outbox (
    id          bigint generated always as identity,
    xid         xid8        not null default pg_current_xact_id(),
    occurred_at timestamptz not null default clock_timestamp(),
    property_id bigint,
    op          text        not null,
    unit_ids    bigint[]
);
comment on table rentsync.outbox is
    'Append-only: a row says that these units of this property were touched. Keys only, never a field''s value.';
comment on column rentsync.outbox.xid is 'The top-level transaction that made the change; what cursors are compared with.';
comment on column rentsync.outbox.property_id is 'Null: every property (TRUNCATE).';
comment on column rentsync.outbox.op is 'insert, update, delete, move (the key a unit had before) or truncate; feed, settings, replay and approve: what a command or new settings ask for.';
comment on column rentsync.outbox.unit_ids is 'Null: the whole property.';

-- The relay's look: which properties have rows of transactions it has not seen.
create index outbox_xid on rentsync.outbox (xid) include (property_id);
-- A feed's plan: the rows of one property beyond its cursor.
create index outbox_property_xid on rentsync.outbox (property_id, xid);

-- Which triggers a table gets. A view, so that `attach` and whoever checks it read the same list.
create view rentsync.capture_trigger as
select *
  from (values
    ('unit',     'rentsync_insert',   'after insert',   'statement', 'new table as touched', null, 'capture_units',               'always',  null),
    ('unit',     'rentsync_delete',   'after delete',   'statement', 'old table as touched', null, 'capture_units',               'always',  null),
    ('unit',     'rentsync_update',   'after update',   'statement', 'new table as touched', null, 'capture_units',               'always',  false),
    ('unit',     'rentsync_update',   'after update',   'statement', 'new table as touched old table as untouched', null, 'capture_units_both_sides', 'always', true),
    ('unit',     'rentsync_move',     'after update',   'row',       null, '((old.id, old.project_id) is distinct from (new.id, new.project_id))', 'capture_unit_moved', 'always', false),
    ('unit',     'rentsync_truncate', 'after truncate', 'statement', null, null, 'capture_truncate', 'always', null),
    ('unit',     'rentsync_replica',  'after insert or update or delete', 'row', null, null, 'capture_unit_row', 'replica', null),
    ('property', 'rentsync_insert',   'after insert',   'statement', 'new table as touched', null, 'capture_properties',          'always',  null),
    ('property', 'rentsync_delete',   'after delete',   'statement', 'old table as touched', null, 'capture_properties',          'always',  null),
    ('property', 'rentsync_update',   'after update',   'statement', 'new table as touched', null, 'capture_properties',          'always',  false),
    ('property', 'rentsync_update',   'after update',   'statement', 'new table as touched old table as untouched', null, 'capture_properties_both_sides', 'always', true),
    ('property', 'rentsync_move',     'after update',   'row',       null, '(old.id is distinct from new.id)', 'capture_property_renumbered', 'always', false),
    ('property', 'rentsync_truncate', 'after truncate', 'statement', null, null, 'capture_truncate', 'always', null),
    ('property', 'rentsync_replica',  'after insert or update or delete', 'row', null, null, 'capture_property_row', 'replica', null)
  ) as v (source, trigger_name, event, level, transition, condition, function_name, enabled, partitioned);
comment on view rentsync.capture_trigger is 'The triggers of the two source tables; partitioned: null = both kinds of table.';

create table rentsync.attachment (
    source     text     primary key check (source in ('property', 'unit')),
    table_name regclass not null,
    tolerant   boolean  not null,
    attached_at timestamptz not null default clock_timestamp()
);
comment on table rentsync.attachment is 'The tables that carry the triggers.';
