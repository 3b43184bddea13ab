-- Deletes syncs that were settled before $1, with their attempts, at most $2, and notes how far back a replay can go from
-- now on. Says how many.
--
-- What is under way has no settled_at. The newest that was delivered stays for every feed, and what a search for bad units
-- began with. Locks the rows it deletes, passing over what is locked, and then the horizon.
with old as (
    select s.sequence
      from rentsync.sync s
     where s.settled_at < $1
       and (s.state <> 'delivered'
         or not exists (
            select from rentsync.sync_feed sf
             where sf.sequence = s.sequence
               and not exists (
                   select from rentsync.sync_feed later join rentsync.sync d on d.sequence = later.sequence
                    where later.feed_id = sf.feed_id and later.sequence > sf.sequence and d.state = 'delivered')))
       and not exists (select from rentsync.feed f where f.halving = s.sequence)
     order by s.settled_at
     limit $2
       for update of s skip locked
), tried as (
    select max(coalesce(a.finished_at, a.started_at)) as latest
      from rentsync.attempt a join old using (sequence)
), pruned as (
    delete from rentsync.sync s using old where s.sequence = old.sequence returning s.settled_at
), gone as (
    select count(*) as rows, greatest(max(settled_at), (select latest from tried)) + interval '1 microsecond' as horizon
      from pruned
), noted as (
    update rentsync.horizon h set pruned_before = greatest(h.pruned_before, gone.horizon) from gone where gone.rows > 0
)
select rows from gone
