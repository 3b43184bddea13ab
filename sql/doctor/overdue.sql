-- What `prune` would have removed long ago: whether the oldest change is from before $1, and whether a sync that nothing needs
-- was settled before $2. Of syncs that were delivered each feed's newest stays. Reads only.
select coalesce((select occurred_at < $1 from rentsync.outbox order by xid limit 1), false),
       exists (select from rentsync.sync s
                where s.settled_at < $2
                  and not exists (select from rentsync.feed f where f.bisected_sync = s.sequence)
                  and (s.state <> 'delivered'
                    or not exists (
                       select from rentsync.sync_feed sf
                        where sf.sequence = s.sequence
                          and not exists (
                              select from rentsync.sync_feed later join rentsync.sync d on d.sequence = later.sequence
                               where later.feed_id = sf.feed_id and later.sequence > sf.sequence and d.state = 'delivered'))))
