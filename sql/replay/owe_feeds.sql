-- The feeds $1 are due a snapshot ($2) or owe their property's fields ($3), pairwise, because of $4. Locks them.
update rentsync.feed f
   set snapshot_due  = case when asked.snapshot then coalesce(f.snapshot_due, $4) else f.snapshot_due end,
       property_owed = case when asked.property then coalesce(f.property_owed, $4) else f.property_owed end
  from unnest($1::bigint[], $2::boolean[], $3::boolean[]) as asked (feed_id, snapshot, property)
 where f.feed_id = asked.feed_id and (asked.snapshot or asked.property)
