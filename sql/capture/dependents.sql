-- What others made outside schema rentsync upon what is in it: views, columns, functions, keys and whatever else the server would drop
-- with it, and stops a change of it for. A row each: what it is, and whose. Our own triggers are not among them. A view's rule is the
-- view, and what stands on that one is found as well. Of functions and types $1 (by their oids), where they are given: what uses
-- those alone, and inside the schema as well. Asks the catalogs alone.
with recursive ours (classid, objid) as (
    select 'pg_class'::regclass::oid, c.oid from pg_class c where c.relnamespace = to_regnamespace('rentsync')
     union all
    select 'pg_type'::regclass, t.oid from pg_type t where t.typnamespace = to_regnamespace('rentsync')
     union all
    select 'pg_proc'::regclass, p.oid from pg_proc p where p.pronamespace = to_regnamespace('rentsync')
), start (classid, objid) as (
    select classid, objid from ours where $1::oid[] is null or classid <> 'pg_class'::regclass and objid = any ($1)
), dependent (classid, objid, objsubid) as (
    select classid, objid, 0 from start
     union
    select case when w.oid is null then d.classid else 'pg_class'::regclass end, coalesce(w.ev_class, d.objid),
           case when w.oid is null then d.objsubid else 0 end
      from dependent o
      join pg_depend d on d.refclassid = o.classid and d.refobjid = o.objid and (o.objsubid = 0 or d.refobjsubid = o.objsubid)
      left join pg_rewrite w on d.classid = 'pg_rewrite'::regclass and w.oid = d.objid and w.rulename = '_RETURN'
     where d.deptype in ('n', 'a')
), outside as (
    select d.*, i.type, i.identity
      from dependent d
     cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) i
     where (d.classid, d.objid) not in (select classid, objid from start)
       and ($1 is not null or i.schema is distinct from 'rentsync' and (d.classid, d.objid) not in (select classid, objid from ours))
)
select distinct format('%s %s', o.type, o.identity) as what, pg_get_userbyid(coalesce(c.relowner, p.proowner, t.typowner))::text as whose
  from outside o
  left join pg_constraint n on o.classid = 'pg_constraint'::regclass and n.oid = o.objid
  left join pg_attrdef a on o.classid = 'pg_attrdef'::regclass and a.oid = o.objid
  left join pg_trigger g on o.classid = 'pg_trigger'::regclass and g.oid = o.objid
  left join pg_rewrite w on o.classid = 'pg_rewrite'::regclass and w.oid = o.objid
  left join pg_policy y on o.classid = 'pg_policy'::regclass and y.oid = o.objid
  left join pg_class c on c.oid = coalesce(case when o.classid = 'pg_class'::regclass then o.objid end, n.conrelid, a.adrelid, g.tgrelid, w.ev_class, y.polrelid)
  left join pg_proc p on o.classid = 'pg_proc'::regclass and p.oid = o.objid
  left join pg_type t on o.classid = 'pg_type'::regclass and t.oid = o.objid
 where $1 is not null
    or not (g.oid is not null and g.tgname like 'rentsync\_%') and c.relnamespace is distinct from to_regnamespace('rentsync')
 order by 1, 2
