-- Whether feed $1's sync before $2 was exhausted as well. Reads only.
select coalesce((
       select s.state = 'exhausted'
         from rentsync.sync_feed sf join rentsync.sync s using (sequence)
        where sf.feed_id = $1 and sf.sequence < $2
        order by sf.sequence desc
        limit 1), false)
