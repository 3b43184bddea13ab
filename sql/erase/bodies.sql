-- Empties the bodies of every sync of receiver $1 that carries unit $2, and the answers to them; nothing of it may be sent any
-- more. Locks these rows. Says how many of both it emptied.
with carrying as materialized (
    select s.sequence
      from rentsync.sync s
     where s.receiver = $1
       and exists (select from rentsync.sync_feed sf where sf.sequence = s.sequence and $2 = any (sf.units))
), emptied as (
    update rentsync.sync s set body = null, body_gone = 'erased'
      from carrying
     where s.sequence = carrying.sequence and s.body is not null
    returning s.sequence
), silenced as (
    update rentsync.attempt a set answer = null
      from carrying
     where a.sequence = carrying.sequence and a.answer is not null
    returning a.sequence
)
select (select count(*) from emptied), (select count(*) from silenced)
