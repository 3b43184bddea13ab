-- The oids of the tables that the triggers are noted for, units and then properties; 0 where one is not. Reads rentsync.attachment, locks
-- nothing.
select coalesce(max(table_name::oid) filter (where source = 'unit'), 0::oid) as unit,
       coalesce(max(table_name::oid) filter (where source = 'property'), 0::oid) as property
  from rentsync.attachment
