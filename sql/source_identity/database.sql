-- Which database of the cluster this is: one that was dropped and restored, or copied, is another. Reads only.
select oid::bigint from pg_database where datname = current_database()
