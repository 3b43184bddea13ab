-- The source tables of the full names $1 (properties) and $2 (units), and what role $3 (null: this one) can't do with them: whether
-- it lacks usage of their schema, or select; whether row security would hide rows from this role. Asks the catalogs alone, so that
-- it works without any right. No row: no such table.
select named.setting, c.oid::bigint as oid, format('%I.%I', n.nspname, c.relname) as full_name, format('%I', n.nspname) as schema_name,
       not has_schema_privilege(role.name, n.oid, 'usage') as lacks_usage,
       not has_table_privilege(role.name, c.oid, 'select') as lacks_select,
       row_security_active(c.oid) as hides_rows
  from (values ('source.properties_table', $1::text), ('source.units_table', $2)) as named (setting, name)
 cross join (select coalesce($3::text::name, current_user)) as role (name)
 cross join lateral parse_ident(named.name) as part
  join pg_class c on c.relname = part[cardinality(part)]
  join pg_namespace n on n.oid = c.relnamespace and n.nspname = part[cardinality(part) - 1]
 order by named.setting
