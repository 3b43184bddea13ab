-- Every trigger that rentsync.attach makes on the attached tables and their partitions, and what is wrong with it; null: nothing. Reads
-- only.
select table_name, trigger_name, problem from rentsync.standing_trigger order by table_name, trigger_name
