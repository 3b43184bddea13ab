-- Which role owns schema rentsync, and of the source functions in it (of that name, whatever they take): whose is not that role's, nor of
-- one that may act as it, so that reading the source would run it as whoever reads; and whether any has another body than those
-- that install writes ($1), while the owner is no superuser, so that what it reads may be any lesser role's. No row: no such schema. Asks
-- the catalogs alone, by their indexes, because every connection asks it.
select n.nspowner as owner, pg_get_userbyid(n.nspowner)::text as owner_name,
       min(format('%s belongs to %s', f.oid::regprocedure, pg_get_userbyid(f.proowner))) filter (where not pg_has_role(f.proowner, n.nspowner, 'member'))
           as strangers,
       coalesce(bool_or(f.pronargs = 0 and f.prosrc <> all ($1::text[]))
                and not (select r.rolsuper from pg_roles r where r.oid = n.nspowner), false) as reads_anybodys
  from pg_namespace n
  left join pg_proc f on f.proname in ('source_property', 'source_unit') and f.pronamespace = n.oid
 where n.nspname = 'rentsync'
 group by n.oid, n.nspowner
