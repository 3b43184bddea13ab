-- How many feeds of receiver $1 are not at rest; all of them, while it waits for a person to accept this database. Reads
-- only.
select (select count(*)
          from rentsync.feed f
         where f.receiver = $1 and f.paused_because is null
           and (f.cursor is null
             or exists (select from rentsync.source_identity n where n.receiver = $1 and n.waits_since is not null)
             or f.cooldown_until is not null
             or f.property_owed is not null
             or f.snapshot_due is not null
             or exists (select from rentsync.sync_feed s where s.feed_id = f.feed_id and s.is_open)
             or exists (select from rentsync.ledger l
                         where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null)
             or exists (select from rentsync.news(f.property_id, f.cursor))))
