-- How much of the disk schema rentsync takes, indexes and bodies included, and what takes most of it. Reads only.
select coalesce(sum(bytes), 0)::bigint, pg_size_pretty(coalesce(sum(bytes), 0)),
       string_agg(format('%s %s', name, pg_size_pretty(bytes)), ', ' order by bytes desc) filter (where place <= 3)
  from (select relname as name, bytes, row_number() over (order by bytes desc) as place
          from pg_class
         cross join lateral pg_total_relation_size(oid) as bytes
         where relnamespace = to_regnamespace('rentsync') and relkind = 'r') as relation
