-- What this role may not do in schema rentsync and `run` has to: a row for each kind of object and set of rights, with the
-- objects, and whether these are all of their kind. Asks the catalogs alone, so that it works without any right. A sequence
-- behind an identity column needs none.
with object (oid, name, kind, rights) as (
    select c.oid, c.relname::text, kind.kind, kind.rights
      from pg_class c
      join (values ('r', 'table', array['select', 'insert', 'update', 'delete']),
                   ('p', 'table', array['select', 'insert', 'update', 'delete']),
                   ('v', 'view', array['select']),
                   ('S', 'sequence', array['usage', 'update'])) as kind (relkind, kind, rights)
        on kind.relkind = c.relkind::text
     where c.relnamespace = to_regnamespace('rentsync')
       and not exists (select from pg_depend d where d.objid = c.oid and c.relkind = 'S' and d.deptype = 'i')
    union all
    select p.oid, p.proname::text, 'function', array['execute']
      from pg_proc p
     where p.pronamespace = to_regnamespace('rentsync') and p.proname in ('source_property', 'source_unit') and p.pronargs = 0
    union all
    select n.oid, n.nspname::text, 'schema', array['usage'] from pg_namespace n where n.nspname = 'rentsync'
), lacking as (
    select o.kind, o.name, string_agg(wanted.privilege, ', ' order by wanted.place) as rights
      from object o
     cross join lateral unnest(o.rights) with ordinality as wanted (privilege, place)
     where not case o.kind
               when 'schema' then has_schema_privilege(o.oid, wanted.privilege)
               when 'function' then has_function_privilege(o.oid, wanted.privilege)
               when 'sequence' then has_sequence_privilege(o.oid, wanted.privilege)
               else has_table_privilege(o.oid, wanted.privilege)
           end
     group by o.kind, o.name
)
select l.kind, l.rights, array_agg(l.name order by l.name) as names,
       count(*) = (select count(*) from object o where o.kind = l.kind) as is_all
  from lacking l
 group by l.kind, l.rights
 order by array_position(array['schema', 'table', 'view', 'sequence', 'function'], l.kind), l.rights
