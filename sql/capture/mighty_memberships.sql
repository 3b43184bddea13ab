-- Of which of the server's own roles role $1 (null: this one) is a member that let it do what no grant of ours says and none takes back:
-- a row each, with what it may do by it. Programs and written files make it a superuser in all but name; files that it reads are
-- other databases' rows and everybody's password hashes; sessions that it ends and tables that it locks make writes of the source
-- fail. Who only reads rows or watches the server does none of that. No row of a superuser, nor of whoever may act as the owner of
-- schema rentsync: these need none of it. Asks the catalogs alone.
select m.name, m.lets
  from (values ('pg_execute_server_program', 'run programs on the server''s machine'),
               ('pg_maintain', 'lock every table'),
               ('pg_read_server_files', 'read every file of the server'),
               ('pg_signal_backend', 'end the sessions of others'),
               ('pg_write_all_data', 'write everything in this database'),
               ('pg_write_server_files', 'write every file of the server')) as m (name, lets)
  join pg_roles s on s.rolname = m.name
  join pg_roles r on r.rolname = coalesce($1::text::name, current_user)
 where pg_has_role(r.oid, s.oid, 'member') and not r.rolsuper
   and not coalesce(pg_has_role(r.oid, (select n.nspowner from pg_namespace n where n.nspname = 'rentsync'), 'usage'), false)
 order by m.name
