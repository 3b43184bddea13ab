-- The receiver $1 takes something: feeds that rest because it took nothing are planned again. Locks those feeds.
update rentsync.feed
   set rest_until = null, rest_because = null
 where receiver = $1 and rest_until is not null and rest_because = 'exhausted'
