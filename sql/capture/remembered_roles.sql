-- The roles that the relay runs as, those that there are. Reads only.
select m.role_name from rentsync.relay_role m join pg_roles r on r.rolname::text = m.role_name order by m.role_name
