-- The source tables as the settings name them ($1, $2), and what this role can't do with them: whether it lacks usage of their
-- schema, or select; whether row security would hide rows from it. Asks the catalogs alone. No row: no such table.
select named.setting, c.oid::bigint as oid, format('%I.%I', n.nspname, c.relname) as full_name, n.nspname::text as schema_name,
       not has_schema_privilege(n.oid, 'usage') as lacks_usage,
       not has_table_privilege(c.oid, 'select') as lacks_select,
       row_security_active(c.oid) as hides_rows
  from (values ('source.properties_table', $1::text), ('source.units_table', $2)) as named (setting, name)
 cross join lateral string_to_array(lower(named.name), '.') as part
  join pg_class c on c.relname = part[cardinality(part)]
  join pg_namespace n on n.oid = c.relnamespace
 where case cardinality(part) when 1 then pg_table_is_visible(c.oid) else n.nspname = part[1] end
 order by named.setting
