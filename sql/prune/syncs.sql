-- Deletes syncs that were settled before $1, with their attempts, at most $2, and notes how far back a replay can go from
-- now on. Says how many.
--
-- What is under way has no settled_at. The newest that was delivered stays for every feed, and what a search for bad units
-- began with. Each is asked for by itself, as compare_units has it and for its reasons. Locks the rows it deletes, passing over what is
-- locked, and then the horizon.
with old as materialized (
    select s.sequence
      from rentsync.sync s
     where s.settled_at < $1
       and (s.state <> 'delivered'
         or (select coalesce(bool_and(later.is_delivered), true)
               from rentsync.sync_feed sf
              cross join lateral (
                    select coalesce((select true
                                       from rentsync.sync_feed l
                                      cross join lateral (select d.state from rentsync.sync d where d.sequence = l.sequence offset 0) as d
                                      where l.feed_id = sf.feed_id and l.sequence > sf.sequence and d.state = 'delivered'
                                      limit 1), false) as is_delivered
                    ) as later
              where sf.sequence = s.sequence))
       and s.sequence <> all (array(select f.bisected_sync from rentsync.feed f where f.bisected_sync is not null))
     order by s.settled_at
     limit $2
       for update of s skip locked
), tried as (
    select max(a.latest) as latest
      from old
     cross join lateral (
           select coalesce(a.finished_at, a.started_at) as latest from rentsync.attempt a where a.sequence = old.sequence offset 0
           ) as a
), pruned as (
    delete from rentsync.sync s using old where s.sequence = old.sequence returning s.settled_at
), gone as (
    select count(*) as rows, greatest(max(settled_at), (select latest from tried)) + interval '1 microsecond' as horizon
      from pruned
), noted as (
    update rentsync.horizon h set pruned_before = greatest(h.pruned_before, gone.horizon) from gone where gone.rows > 0
)
select rows from gone
