-- Empties the bodies of syncs that were settled before $1, and the answers to them, of at most $2; says how many. These are
-- syncs whose row is still needed: a feed's newest, and what a search for bad units began with.
--
-- An index has only syncs with a body, so a step costs what it empties. Locks the rows it empties, passing over what is locked.
with old as (
    select s.sequence
      from rentsync.sync s
     where s.settled_at < $1 and s.body is not null
     order by s.settled_at
     limit $2
       for update skip locked
), emptied as (
    update rentsync.sync s set body = null, body_gone = 'pruned' from old where s.sequence = old.sequence
    returning s.sequence
), silenced as (
    update rentsync.attempt a set answer = null from old where a.sequence = old.sequence and a.answer is not null
)
select count(*) from emptied
