-- Which of the syncs $1 were followed by a newer one of the same feed, and whether they are snapshots. Reads only.
select s.sequence, s.sync_type = 'snapshot'
  from rentsync.sync s
 where s.sequence = any ($1)
   and exists (select from rentsync.sync_feed mine
                 join rentsync.sync_feed newer on newer.feed_id = mine.feed_id and newer.sequence > mine.sequence
                where mine.sequence = s.sequence)
