-- Which statuses the source has, and how many units each. Reads the whole unit table once.
select status_id::bigint, min(status_name)::text as status_name, count(*) as units
  from rentsync.source_unit()
 group by status_id
 order by units desc, status_id
 limit 50
