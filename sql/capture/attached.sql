-- Whether the triggers are on the tables that the settings name: $1 of properties, $2 of units. Reads only.
select named.table_name, a.table_name::text as attached, coalesce(a.table_name = to_regclass(named.table_name), false) as is_same,
       exists (select from pg_class c where c.oid = a.table_name) as is_there
  from (values ('property', $1), ('unit', $2)) as named (source, table_name)
  left join rentsync.attachment a on a.source = named.source
 order by named.source
