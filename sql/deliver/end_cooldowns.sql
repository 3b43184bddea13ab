-- Receiver $1 accepts something: feeds that rest because it accepted nothing are planned again. Locks those feeds.
update rentsync.feed
   set cooldown_until = null, cooldown_because = null
 where receiver = $1 and cooldown_until is not null and cooldown_because = 'exhausted'
