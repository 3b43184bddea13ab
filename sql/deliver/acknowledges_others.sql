-- Whether receiver $1 acknowledged another sync than $2 since the try before the last of $2 began (since the only one, if it had but
-- one), or since one of the three syncs of feed $3 before it was answered as a property is that the receiver does not know (3xx,
-- 403, 404, 410). Such an answer pauses the receiver once; if others are acknowledged after that and this feed is answered so
-- again, it is about this feed. Asked only of such an answer, and of a 429 that comes over and over. Reads only.
select exists (
       select from rentsync.sync s
        where s.receiver = $1 and s.state = 'delivered' and s.sequence <> $2
          and s.settled_at >= least(
              (select min(t.started_at)
                 from (select a.started_at from rentsync.attempt a where a.sequence = $2 order by a.lease desc limit 2) as t),
              (select max(a.finished_at)
                 from (select sf.sequence from rentsync.sync_feed sf
                        where sf.feed_id = $3 and sf.sequence < $2 order by sf.sequence desc limit 3) as before
                 join rentsync.attempt a using (sequence)
                where a.status between 300 and 399 or a.status in (403, 404, 410))))
