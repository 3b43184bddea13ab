-- The bodies, as they are kept, of every sync of receiver $1 that carries unit $2, those behind sequence $3. Reads only.
select s.sequence, s.body
  from rentsync.sync s
 where s.receiver = $1 and s.sequence > $3 and s.body is not null
   and exists (select from rentsync.sync_feed sf where sf.sequence = s.sequence and $2 = any (sf.units))
 order by s.sequence
