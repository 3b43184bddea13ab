-- Empties the bodies of every sync that told receiver $1 of unit $2, and the answers to them; nothing of it may be sent any
-- more. Locks these rows. Says how many of both it emptied.
with telling as materialized (
    select s.sequence
      from rentsync.sync s
     where s.receiver = $1
       and exists (select from rentsync.sync_feed sf where sf.sequence = s.sequence and $2 = any (sf.units))
), emptied as (
    update rentsync.sync s set body = null, body_gone = 'erased'
      from telling
     where s.sequence = telling.sequence and s.body is not null
    returning s.sequence
), silenced as (
    update rentsync.attempt a set answer = null
      from telling
     where a.sequence = telling.sequence and a.answer is not null
    returning a.sequence
)
select (select count(*) from emptied), (select count(*) from silenced)
