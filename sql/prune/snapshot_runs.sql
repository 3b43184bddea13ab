-- Deletes snapshot runs that finished before $1, at most $2: not a receiver's newest, by which the next night is known, and
-- not while a sync or a feed refers to it. Passes over what is locked.
delete from rentsync.snapshot_run
 where run_id in (
       select r.run_id
         from rentsync.snapshot_run r
        where r.finished_at < $1
          and exists (select from rentsync.snapshot_run newer
                       where newer.receiver = r.receiver and newer.finished_at is not null and newer.run_id > r.run_id)
          and not exists (select from rentsync.sync s where s.run_id = r.run_id)
          and not exists (select from rentsync.feed f where f.snapshot_run = r.run_id)
        limit $2
          for update skip locked)
