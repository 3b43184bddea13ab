-- Empties the bodies of every sync of receiver $1 that carries unit $2, and the answers to them; nothing of it may be sent any
-- more. So it does with every settled sync of a feed that has or had the unit: their digests are over its lead's names too, and two of them
-- may give the unit's hash. Locks these rows. Says how many of both it emptied.
with fed as materialized (
    select f.feed_id from rentsync.feed f
     where f.receiver = $1
       and (exists (select from rentsync.ledger l where l.feed_id = f.feed_id and l.unit_id = $2)
         or exists (select from rentsync.sync_feed sf where sf.feed_id = f.feed_id and ($2 = any (sf.units) or $2 = any (sf.gone))))
), about as materialized (
    select distinct s.sequence
      from fed
      join rentsync.sync_feed sf using (feed_id)
      join rentsync.sync s using (sequence)
     where s.settled_at is not null or $2 = any (sf.units)
), emptied as (
    update rentsync.sync s set body = null, body_gone = 'erased'
      from about
     where s.sequence = about.sequence and s.body is not null
    returning s.sequence
), silenced as (
    update rentsync.attempt a set answer = null
      from about
     where a.sequence = about.sequence and a.answer is not null
    returning a.sequence
)
select (select count(*) from emptied), (select count(*) from silenced)
