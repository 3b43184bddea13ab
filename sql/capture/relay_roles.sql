-- The roles that the relay runs as: those that were granted the right to seal. So that a newer release's `install` grants them
-- what it added. Asks the catalogs alone.
select r.rolname::text
  from pg_class c
 cross join aclexplode(c.relacl) a
  join pg_roles r on r.oid = a.grantee
 where c.oid = to_regclass('rentsync.sync') and a.privilege_type = 'INSERT' and a.grantee <> c.relowner
 order by r.rolname
