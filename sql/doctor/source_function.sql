-- Source function $1: its body, the names and types of its result columns, and why PostgreSQL can't inline it, so that every
-- look-up would read it whole; null: it can, as far as the catalogs say. Asks the catalogs alone. No row: no such function.
select p.prosrc as body,
       coalesce(result.names, fields.names, '{}') as names, coalesce(result.types, fields.types, '{}') as types,
       case when l.lanname <> 'sql' then 'is not written in SQL'
            when p.prosecdef then 'is security definer'
            when p.provolatile = 'v' then 'is volatile'
            when p.proisstrict then 'is strict'
            when p.proconfig is not null then 'sets ' || array_to_string(p.proconfig, ', ')
            when not p.proretset then 'returns one row'
       end as obstacle
  from pg_proc p
  join pg_language l on l.oid = p.prolang
  join pg_type t on t.oid = p.prorettype
 cross join lateral (
       select array_agg(column_name order by place) as names, array_agg(format_type(type, null) order by place) as types
         from unnest(p.proallargtypes, p.proargmodes, p.proargnames) with ordinality as a (type, mode, column_name, place)
        where a.mode in ('t', 'o', 'b')
       ) as result
 cross join lateral (
       select array_agg(attname::text order by attnum) as names, array_agg(format_type(atttypid, null) order by attnum) as types
         from pg_attribute
        where attrelid = t.typrelid and attnum > 0 and not attisdropped
       ) as fields
 where p.pronamespace = to_regnamespace('rentsync') and p.proname = $1 and p.pronargs = 0
