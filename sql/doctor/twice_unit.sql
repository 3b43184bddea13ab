-- How many units the source has in more than one row, and one of them. Reads the source whole.
select count(*), min(unit_id)::bigint
  from (select unit_id from rentsync.source_unit() group by unit_id having count(*) > 1) as twice
