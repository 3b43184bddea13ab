-- Takes the triggers off the tables that carry them, if any do. Locks both against writers, for moments, until commit.
select rentsync.detach(p.table_name, u.table_name)
  from rentsync.attachment p
  join rentsync.attachment u on u.source = 'unit'
 where p.source = 'property'
