-- Which statuses the source has, and how many units each. Reads the whole unit table once.
select status_id, min(status_name) as status_name, count(*) as units
  from rentsync.source_unit()
 group by status_id
 order by units desc, status_id
 limit 50
