-- The names of the lead of unit $1, as the source has them at present. Reads only.
select lead_first_name::text, lead_last_name::text from rentsync.source_unit() where unit_id = $1
