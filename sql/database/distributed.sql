-- Which of the tables $1 (full names) Citus distributes: by a column, as one shard of a distributed schema, or as a reference table. A
-- table that it only knows of as local (no method, kept once, in no group) stays where it is. Asked only where Citus is: its catalog
-- is pg_dist_partition. Reads only.
select p.logicalrelid::regclass::text
  from pg_catalog.pg_dist_partition p
 where p.logicalrelid = any (select to_regclass(name) from unnest($1::text[]) as asked (name))
   and not (p.partmethod::text = 'n' and p.repmodel::text = 's' and p.colocationid = 0)
 order by 1
