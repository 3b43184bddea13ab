-- Deletes what holds no longer go by: removals sealed more than a day before $1, at most $2. They look back 24 hours. Passes over
-- what is locked.
delete from rentsync.removed
 where (feed_id, sequence) in (
       select feed_id, sequence from rentsync.removed where told_at < $1::timestamptz - interval '1 day' limit $2 for update skip locked
       )
