-- The functions of this release, a row each: the text of its body, the statement that writes it, and what it is for. `install`
-- runs the statements every time, so that a newer release replaces what an older one wrote; `doctor` compares what
-- stands in the database with migrations/shape.txt. The source tables' oids are $1 (units) and $2 (properties), 0 for none. Locks nothing.
--
-- Each trigger function is one insert behind a check; `_tolerant` is the same insert inside an exception block, for sites that
-- would rather lose precision than a write (see rentsync.attach).
--
-- The trigger functions run with the rights of whoever installed them, and whoever could hang one on a table of his own would
-- have his table's casts and operators run with those rights. So nobody but the owner may execute one (see open_functions.sql),
-- and each does nothing for a table that is not attached, before it looks at any row. The attached table's oid stands in the
-- text, because that costs nothing; what has another oid (a partition, a table that was restored from a dump) is looked up.
-- Nothing is raised: a partition that was detached keeps our triggers, and writes to it must not fail.
-- They set no search_path: that costs a third of such a trigger. Every name, type and operator in them is qualified or the
-- grammar's own instead.
with place as (
    select $1::oid as unit, $2::oid as property
), capture (name, statement, purpose) as (
    values
    ('capture_units', $body$
    insert into rentsync.outbox (property_id, op, unit_ids)
    select project_id, pg_catalog.lower(tg_op), pg_catalog.array_agg(id::bigint)
      from touched
     where project_id is not null
     group by project_id$body$,
     'Units touched by one statement: one change per property.'),
    ('capture_units_both_sides', $body$
    insert into rentsync.outbox (property_id, op, unit_ids)
    select project_id, 'update', pg_catalog.array_agg(id::bigint)
      from (select id, project_id from touched union select id, project_id from untouched) as either
     where project_id is not null
     group by project_id$body$,
     'The same for UPDATE of a partitioned table, where no row trigger sees a row change its partition.'),
    ('capture_unit_moved', $body$
    insert into rentsync.outbox (property_id, op, unit_ids)
    select old.project_id, 'move', array[old.id::bigint]
     where old.project_id is not null$body$,
     'The key that a moved or renumbered unit had before.'),
    ('capture_unit_row', $body$
    insert into rentsync.outbox (property_id, op, unit_ids)
    select coalesce(new.project_id, old.project_id), pg_catalog.lower(tg_op), array[coalesce(new.id, old.id)::bigint]
     where coalesce(new.project_id, old.project_id) is not null$body$,
     'One unit; for logical replication, whose apply workers fire row triggers only.'),
    ('capture_properties', $body$
    insert into rentsync.outbox (property_id, op)
    select id, pg_catalog.lower(tg_op) from touched$body$,
     'Properties touched by one statement: one change each, for the whole property.'),
    ('capture_properties_both_sides', $body$
    insert into rentsync.outbox (property_id, op)
    select id, 'update' from (select id from touched union select id from untouched) as either$body$,
     'The same for UPDATE of a partitioned table.'),
    ('capture_property_renumbered', $body$
    insert into rentsync.outbox (property_id, op) values (old.id, 'move')$body$,
     'The id that a property had before.'),
    ('capture_property_row', $body$
    insert into rentsync.outbox (property_id, op) values (coalesce(new.id, old.id), pg_catalog.lower(tg_op))$body$,
     'One property; for logical replication.'),
    ('capture_truncate', $body$
    insert into rentsync.outbox (property_id, op) values (null, 'truncate')$body$,
     'TRUNCATE, also by cascade: every property.')
), helper (name, arguments, body, purpose) as (
    values
    ('attach_one', 'kind text, target regclass, tolerant boolean', $body$
declare
    wanted record;
    enabling text[];
    partition regclass;
begin
    for wanted in
        select t.* from rentsync.capture_trigger t, pg_class c
         where t.source = kind and c.oid = target
           and (t.partitioned is null or t.partitioned = (c.relkind = 'p'))
    loop
        execute format('create or replace trigger %I %s on %s %s for each %s %s execute function rentsync.%I()',
            wanted.trigger_name, wanted.event, target,
            coalesce('referencing ' || wanted.transition, ''), wanted.level,
            coalesce('when ' || wanted.condition, ''),
            wanted.function_name || case when tolerant then '_tolerant' else '' end);
        enabling := enabling || format('enable %s trigger %I', wanted.enabled, wanted.trigger_name);
    end loop;
    execute format('alter table %s %s', target, array_to_string(enabling, ', '));
    -- A statement that names a partition fires only that partition's statement triggers.
    for partition in
        select inhrelid::regclass from pg_inherits i join pg_class c on c.oid = i.inhparent
         where i.inhparent = target and c.relkind = 'p'
    loop
        perform rentsync.attach_partition(kind, partition, tolerant);
    end loop;
end
$body$,
     'Part of rentsync.attach.'),
    ('attach_partition', 'kind text, target regclass, tolerant boolean', $body$
declare
    wanted record;
    enabling text[];
    partition regclass;
begin
    for wanted in
        select t.* from rentsync.capture_trigger t
         where t.source = kind and t.level = 'statement' and coalesce(t.partitioned, true)
    loop
        execute format('create or replace trigger %I %s on %s %s for each statement execute function rentsync.%I()',
            wanted.trigger_name, wanted.event, target, coalesce('referencing ' || wanted.transition, ''),
            wanted.function_name || case when tolerant then '_tolerant' else '' end);
        enabling := enabling || format('enable %s trigger %I', wanted.enabled, wanted.trigger_name);
    end loop;
    execute format('alter table %s %s', target, array_to_string(enabling, ', '));
    for partition in select inhrelid::regclass from pg_inherits where inhparent = target loop
        perform rentsync.attach_partition(kind, partition, tolerant);
    end loop;
end
$body$,
     'Part of rentsync.attach.'),
    -- Creating a trigger waits for running writers and makes later ones wait behind it. So the lock is asked for with
    -- a short limit, again and again, rather than stood in line for.
    ('lock_source', 'properties regclass, units regclass, mode text', $body$
begin
    for attempt in 1 .. 100 loop
        begin
            -- Stays set: whatever this transaction has yet to lock, it asks for as briefly.
            perform set_config('lock_timeout', '100ms', true);
            execute format('lock table %s, %s in %s mode', properties, units, mode);
            return;
        exception when lock_not_available then
            perform pg_sleep(0.1 + random() * 0.2);
        end;
    end loop;
    raise exception 'rentsync: % and % are in use by a long transaction', properties, units
        using errcode = 'lock_not_available',
              hint = 'Try again when it has ended; see pg_stat_activity for transactions that are open for long.';
end
$body$,
     'Part of rentsync.attach and rentsync.detach.'),
    ('attach', 'properties regclass, units regclass, tolerant boolean default false', $body$
declare
    elsewhere record;
begin
    for elsewhere in
        select * from rentsync.attachment a
         where a.table_name <> case a.source when 'property' then properties else units end
    loop
        raise exception 'rentsync: the triggers are on % already', elsewhere.table_name
            using hint = 'Call rentsync.detach() for the tables they are on first.';
    end loop;
    perform rentsync.lock_source(properties, units, 'share row exclusive');
    insert into rentsync.attachment (source, table_name, tolerant)
    values ('property', properties, tolerant), ('unit', units, tolerant)
    on conflict (source) do update set tolerant = excluded.tolerant, attached_at = excluded.attached_at;
    -- Writers wait: of hundreds of partitions only those of a table where something is wrong are gone through.
    perform rentsync.attach_one(a.source, a.table_name, a.tolerant)
       from rentsync.attachment a
      where exists (select from rentsync.standing_trigger t
                     where t.source = a.source and (t.problem is not null or t.condition is not null));
    -- Whatever was written while no trigger stood is in no change: compare everything once.
    insert into rentsync.outbox (property_id, op) values (null, 'attach');
end
$body$,
     'Puts the triggers on the two source tables. Can be called again at any time, and must be for a new partition.'),
    ('detach', 'properties regclass, units regclass', $body$
declare
    standing record;
begin
    -- Dropping a trigger makes readers wait as well, and waits for them.
    perform rentsync.lock_source(properties, units, 'access exclusive');
    for standing in
        select t.tgname, t.tgrelid::regclass as target
          from pg_trigger t join pg_proc p on p.oid = t.tgfoid
         where p.pronamespace = 'rentsync'::regnamespace and t.tgparentid = 0 and not t.tgisinternal
           and (t.tgrelid in (select relid from pg_partition_tree(properties)) or t.tgrelid = properties
             or t.tgrelid in (select relid from pg_partition_tree(units)) or t.tgrelid = units)
    loop
        execute format('drop trigger %I on %s', standing.tgname, standing.target);
    end loop;
    delete from rentsync.attachment where table_name in (properties, units);
end
$body$,
     'Takes the triggers off again; the outbox stays.')
), service (name, arguments, result, body, purpose) as (
    -- What `run` needs from the outbox beyond reading and adding: a role that may delete from it could as well lock it, and
    -- with it every writer of the source.
    values
    ('forget_changes', 'before timestamptz, changes_max bigint', 'bigint', $body$
declare
    forgotten bigint;
begin
    with oldest as materialized (
        select ctid as place, occurred_at
          from rentsync.outbox
         where xid < coalesce((select pg_snapshot_xmin(cursor) from rentsync.feed where cursor is not null order by 1 limit 1),
                              pg_snapshot_xmin(pg_current_snapshot()))
         order by xid
         limit changes_max
    ), locked as materialized (
        select o.ctid as place
          from rentsync.outbox o
         where o.ctid = any (array(select place from oldest where occurred_at < before))
           for update skip locked
    ), pruned as (
        delete from rentsync.outbox o where o.ctid = any (array(select place from locked))
        returning o.occurred_at
    ), gone as (
        select count(*) as changes, max(occurred_at) + interval '1 microsecond' as horizon from pruned
    ), noted as (
        update rentsync.horizon h set pruned_before = greatest(h.pruned_before, gone.horizon) from gone where gone.changes > 0
    )
    select changes into forgotten from gone;
    return forgotten;
end
$body$,
     'Deletes changes from before a moment that every cursor sees, of so many oldest, and notes the horizon. Says how many.'),
    ('forget_future', '', 'bigint', $body$
declare
    forgotten bigint;
begin
    delete from rentsync.outbox where xid >= pg_snapshot_xmax(pg_current_snapshot());
    get diagnostics forgotten = row_count;
    return forgotten;
end
$body$,
     'Deletes changes of transactions that this server has yet to begin. Says how many.'),
    -- Whoever could delete any row could delete the one that says what it did: so the last 30 days stay, whatever is asked for.
    ('forget_audit', 'older_than timestamptz, rows_max bigint', 'bigint', $body$
declare
    forgotten bigint;
begin
    with locked as materialized (
        select a.ctid as place
          from rentsync.audit a
         where a.at < least(older_than, clock_timestamp() - interval '30 days')
         order by a.at
         limit rows_max
           for update skip locked
    )
    -- By their place: whoever adds rows may give one the number of another.
    delete from rentsync.audit a where a.ctid = any (array(select place from locked));
    get diagnostics forgotten = row_count;
    return forgotten;
end
$body$,
     'Deletes rows of the audit from before a moment, so many of the oldest, and none of the last 30 days. Says how many.')
), checked as (
    select c.name, c.statement, c.purpose,
           format(E'\n    if tg_relid operator(pg_catalog.<>) %s::pg_catalog.oid%s then\n'
                  '        perform from (select tg_relid union all select relid from pg_catalog.pg_partition_ancestors(tg_relid)) as s (place)\n'
                  '          where place::pg_catalog.oid operator(pg_catalog.=) %1$s::pg_catalog.oid\n'
                  '             or exists (select from rentsync.attachment a where a.table_name::pg_catalog.oid operator(pg_catalog.=) place::pg_catalog.oid);\n'
                  '        if not found then\n            return null;\n        end if;\n    end if;',
                  case when c.name like 'capture_propert%' then p.property else p.unit end,
                  case when c.name = 'capture_truncate'
                       then format(' and tg_relid operator(pg_catalog.<>) %s::pg_catalog.oid', p.property) else '' end) as refusal
      from capture c, place p
), written as (
    select name, '' as arguments, 'trigger' as result, 'security definer' as rights, '' as path,
           E'\nbegin' || refusal || statement || E';\n    return null;\nend;\n' as body, purpose
      from checked
     union all
    select name || '_tolerant', '', 'trigger', 'security definer', '',
           E'\nbegin' || refusal || E'\n    begin' || statement || E';\n'
           '    exception when others then\n'
           '        raise warning ''rentsync: capture on %.% failed (%), every property will be compared'',\n'
           '            tg_table_schema, tg_table_name, sqlerrm;\n'
           '        begin\n'
           '            insert into rentsync.outbox (property_id, op) values (null, ''failed'');\n'
           '        exception when others then\n'
           '            raise warning ''rentsync: that could not be noted (%), the next snapshot finds what changed'', sqlerrm;\n'
           '        end;\n'
           '    end;\n    return null;\nend;\n',
           purpose || ' A failure becomes a change of every property instead of an error, or a warning where not even that can be noted.'
      from checked
     union all
    select name, arguments, result, 'security definer', 'set search_path = pg_catalog, pg_temp', body, purpose from service
     union all
    select name, arguments, 'void', '', 'set search_path = pg_catalog, pg_temp', body, purpose from helper
)
select name,
       format('create or replace function rentsync.%I(%s) returns %s language plpgsql %s %s as %L',
              name, arguments, result, rights, path, body) as statement,
       format('comment on function rentsync.%I(%s) is %L', name, regexp_replace(arguments, ' default [^,]*', '', 'g'), purpose) as comment
  from written
