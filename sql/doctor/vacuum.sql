-- Tables of schema rentsync that nobody cleans: autovacuum is off, or there are more than $1 dead rows and more of them than
-- living ones. Reads only.
select c.relname::text as name, coalesce(s.n_dead_tup, 0) as dead,
       vacuum.is_automatic
  from pg_class c
 cross join lateral (
       select current_setting('autovacuum')::boolean
          and not exists (select from pg_options_to_table(c.reloptions)
                           where option_name = 'autovacuum_enabled' and not option_value::boolean) as is_automatic
       ) as vacuum
  left join pg_stat_all_tables s on s.relid = c.oid
 where c.relnamespace = to_regnamespace('rentsync') and c.relkind = 'r'
   and (not vacuum.is_automatic
     or coalesce(s.n_dead_tup, 0) > greatest($1, s.n_live_tup))
 order by c.relname
