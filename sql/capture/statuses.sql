-- Which statuses the source has, the beginning of a name of each, and how many units. Reads the whole unit table once.
select status_id::bigint, min(left(status_name::text, 100)) as status_name, count(*) as units
  from rentsync.source_unit()
 group by status_id
 order by units desc, status_id
 limit 50
