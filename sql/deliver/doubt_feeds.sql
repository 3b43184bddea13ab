-- Feeds $1 whose sync $2 was given up owe their property's fields; where it was a snapshot ($3) the next is one again
-- because of $4 (null: it is not). Locks the feeds.
update rentsync.feed f
   set property_owed = case when f.property_sequence = given_up.sequence then 'in_doubt' else f.property_owed end,
       owed_since    = least(f.owed_since, s.oldest_change),
       snapshot_due  = case when given_up.snapshot then coalesce($4, f.snapshot_due) else f.snapshot_due end
  from unnest($1::bigint[], $2::bigint[], $3::boolean[]) as given_up (feed_id, sequence, snapshot)
  join rentsync.sync s using (sequence)
 where f.feed_id = given_up.feed_id
