-- Which of the syncs $1 were followed by a newer one of the same feed, and whether they are snapshots. Each is looked up by itself:
-- joined, all syncs are read where statistics know nothing of these. Reads only.
select s.sequence, s.sync_type = 'snapshot'
  from unnest($1::bigint[]) as late (sequence)
  join lateral (select s.sequence, s.sync_type from rentsync.sync s where s.sequence = late.sequence offset 0) as s on true
 where exists (select from rentsync.sync_feed mine
                where mine.sequence = s.sequence
                  and exists (select from rentsync.sync_feed newer
                               where newer.feed_id = mine.feed_id and newer.sequence > mine.sequence offset 0)
               offset 0)
