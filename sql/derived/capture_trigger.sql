-- Which triggers a table gets. A view, so that `attach` and whoever checks it read the same list.
create or replace view rentsync.capture_trigger as
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
  ) as v (source, trigger_name, event, level, transition, condition, function_name, enabled, partitioned)
