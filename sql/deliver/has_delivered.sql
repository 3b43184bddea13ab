-- Whether the receiver ever took a sync about feed $1 alone or with others. Reads only.
select exists (
       select from rentsync.sync_feed sf
         join rentsync.sync s using (sequence)
        where sf.feed_id = $1 and s.state = 'delivered')
