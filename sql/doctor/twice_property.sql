-- How many properties the source has in more than one row, and one of them. Reads the source whole.
select count(*), min(property_id)::bigint
  from (select property_id from rentsync.source_property() group by property_id having count(*) > 1) as twice
