-- The properties' own fields that a receiver should hold: the guide's, and those that extensions add to them.
select id::bigint,
       jsonb_build_object('project_name', name, 'address', full_address),
       jsonb_build_object('project_group_id', project_group_id, 'is_active', is_actived, 'is_lease_up', is_lease_up)
  from projects
 where is_actived
 order by id
