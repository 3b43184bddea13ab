-- Every trigger that rentsync.attach makes on the attached tables and their partitions, and what is wrong with it; null: nothing, but for
-- its condition, of which only is known whether there is one. A partition gets the statement triggers from rentsync.attach_partition and
-- the row triggers from PostgreSQL. A view, so that `attach` makes only what `doctor` would object to.
create or replace view rentsync.standing_trigger as
with recursive attached as (
    select a.source, a.tolerant, c.oid, c.relkind = 'p' as is_partitioned, true as is_root
      from rentsync.attachment a
      join pg_class c on c.oid = a.table_name
     union all
    select a.source, a.tolerant, c.oid, c.relkind = 'p', false
      from attached a
      join pg_inherits i on i.inhparent = a.oid
      join pg_class c on c.oid = i.inhrelid
     where a.is_partitioned
), wanted as (
    select a.source, a.oid, t.trigger_name, t.condition, substring(t.transition from 'old table as (\w+)') as old_table,
           substring(t.transition from 'new table as (\w+)') as new_table,
           t.function_name || case when a.tolerant then '_tolerant' else '' end as function_name,
           case t.enabled when 'always' then 'A' else 'R' end as enabled,
           (t.level = 'row')::integer + 4 * (t.event like '%insert%')::integer + 8 * (t.event like '%delete%')::integer
               + 16 * (t.event like '%update%')::integer + 32 * (t.event like '%truncate%')::integer as type
      from attached a
      join rentsync.capture_trigger t
        on t.source = a.source and (t.partitioned is null or t.partitioned = (a.is_partitioned or not a.is_root))
)
select w.source, w.oid::regclass::text as table_name, w.trigger_name, w.condition,
       case when g.oid is null then 'missing'
            when p.pronamespace <> to_regnamespace('rentsync') or p.proname <> w.function_name
              or g.tgtype <> w.type or g.tgattr::text <> '' or (g.tgqual is null) <> (w.condition is null)
              or g.tgoldtable::text is distinct from w.old_table or g.tgnewtable::text is distinct from w.new_table
            then 'another than this release makes'
            when g.tgenabled = 'D' then 'disabled'
            when g.tgenabled::text <> w.enabled and w.enabled = 'A' then 'not enabled always, so a session that sets session_replication_role bypasses it'
            when g.tgenabled::text <> w.enabled then 'not enabled for replication alone, so changes are noted twice or not at all'
       end as problem
  from wanted w
  left join pg_trigger g on g.tgrelid = w.oid and g.tgname = w.trigger_name
  left join pg_proc p on p.oid = g.tgfoid
