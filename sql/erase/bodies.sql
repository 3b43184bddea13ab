-- Empties the bodies of every sync of the feeds $1, which have or had the unit, and the answers to them: those that carry it have its
-- lead's name, the digests of the others are over it, and two of them may give the unit's hash. None of them is open any more, so nothing of
-- it may be sent. Locks these rows. Says how many of both it emptied.
with about as materialized (
    select distinct sf.sequence from rentsync.sync_feed sf where sf.feed_id = any ($1)
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
