-- How much of the disk schema rentsync takes, indexes and bodies included, and what takes most of it; how much the outbox takes for each
-- day that it goes back (null: it is empty), and in which tablespace. How much is free there the server says to nobody. Reads only.
select coalesce(sum(bytes), 0)::bigint as bytes, pg_size_pretty(coalesce(sum(bytes), 0)) as pretty,
       string_agg(format('%s %s', name, pg_size_pretty(bytes)), ', ' order by bytes desc) filter (where place <= 3) as most,
       (select pg_size_pretty((pg_total_relation_size('rentsync.outbox')
                             / greatest(extract(epoch from clock_timestamp() - o.occurred_at) / 86400, 1))::bigint)
          from rentsync.outbox o order by o.xid limit 1) as outbox_a_day,
       (select t.spcname::text
          from pg_class c
          join pg_database d on d.datname = current_database()
          join pg_tablespace t on t.oid = coalesce(nullif(c.reltablespace, 0), d.dattablespace)
         where c.oid = 'rentsync.outbox'::regclass) as tablespace
  from (select relname as name, bytes, row_number() over (order by bytes desc) as place
          from pg_class
         cross join lateral pg_total_relation_size(oid) as bytes
         where relnamespace = to_regnamespace('rentsync') and relkind = 'r') as relation
