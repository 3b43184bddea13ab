-- The open alerts of kind $2 about receiver $1 are over, at $4 (null: now), for every property whose feed does not rest because of $3
-- any more: a plan that read it ended that. Locks those alerts; reads the feeds of open ones alone.
update rentsync.alert a
   set acked_at = coalesce($4, clock_timestamp())
 where a.receiver = $1 and a.kind = $2 and a.acked_at is null
   and not exists (select from rentsync.feed f
                    where f.receiver = a.receiver and f.property_id = a.property_id and f.cooldown_because = $3)
