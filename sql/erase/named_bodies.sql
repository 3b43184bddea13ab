-- The bodies, as they are kept, of every sync of the feeds $1, those behind sequence $2. Reads only.
select s.sequence, s.body
  from rentsync.sync s
 where s.sequence > $2 and s.body is not null
   and s.sequence in (select sf.sequence from rentsync.sync_feed sf where sf.feed_id = any ($1))
 order by s.sequence
