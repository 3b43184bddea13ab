-- Whether the source has a lead for unit $1. Reads only.
select exists (select from rentsync.source_unit() s
                where s.unit_id = $1
                  and (nullif(btrim(s.lead_first_name::text), '') is not null or nullif(btrim(s.lead_last_name::text), '') is not null))
