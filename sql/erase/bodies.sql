-- Empties the bodies of every sync of the feeds $1 that carries unit $2, and the answers to them; nothing of it may be sent any
-- more. So it does with every settled sync of these feeds, which have or had the unit: their digests are over its lead's names too, and two of them
-- may give the unit's hash. Locks these rows. Says how many of both it emptied.
with fed as materialized (
    select feed_id from unnest($1::bigint[]) as fed (feed_id)
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
