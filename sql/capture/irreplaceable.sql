-- Triggers with a name of ours on the attached tables and their partitions that `create or replace trigger` does not replace: constraint
-- triggers, and on a partitioned table one for each row where ours is for each statement, because its partitions have it as well. A row
-- each: what it is, and the statement that drops it. Reads only.
select format('trigger %I on %s', g.tgname, t.table_name) as what, format('drop trigger %I on %s', g.tgname, t.table_name) as statement
  from rentsync.standing_trigger t
  join pg_trigger g on g.tgrelid = t.table_name::regclass and g.tgname = t.trigger_name
  join pg_class c on c.oid = g.tgrelid
 where t.problem is not null and g.tgparentid = 0
   and (g.tgconstraint <> 0
        or c.relkind = 'p' and g.tgtype & 1 = 1
           and exists (select from rentsync.capture_trigger w
                        where w.source = t.source and w.trigger_name = t.trigger_name and w.level = 'statement'))
 order by what
