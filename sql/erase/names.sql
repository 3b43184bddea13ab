-- The names that the source has at present for the lead of unit $1. Reads only.
select names.name
  from rentsync.source_unit() s
 cross join lateral (values (s.lead_first_name::text), (s.lead_last_name::text)) as names (name)
 where s.unit_id = $1 and nullif(btrim(names.name), '') is not null
