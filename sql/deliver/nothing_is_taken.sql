-- The sync with which the search for bad units of feed $2 began, if $3 syncs or more, up to sync $4, were sent in it, none of them
-- was accepted, and receiver $1 acknowledged nothing at all meanwhile. Reads the feed's syncs since then, which is where this
-- keeps them few.
select f.halving
  from rentsync.feed f
 where f.feed_id = $2 and f.halving is not null and not f.halving_accepted
   and (select count(*) from rentsync.sync_feed sf
         where sf.feed_id = f.feed_id and sf.sequence >= f.halving and sf.sequence <= $4) >= $3
   and not exists (select from rentsync.sync s
                    where s.receiver = $1 and s.state = 'delivered'
                      and s.settled_at >= (select b.sealed_at from rentsync.sync b where b.sequence = f.halving))
