-- Locks the tables that carry the triggers, if any do, as taking these off does: before anything of ours is locked, because whoever
-- writes to the source locks that first. Against readers and writers, until commit.
select rentsync.lock_source(p.table_name, u.table_name, 'access exclusive')
  from rentsync.attachment p
  join rentsync.attachment u on u.source = 'unit'
 where p.source = 'property'
