-- What receiver $1 refused while it acknowledged nothing is told once more, alone, at $2 (null: now): what was refused $3 seconds before or
-- longer ago (null: all). Costs what there is of it (index ledger_unproved). Locks those units, in the order in which a plan writes them.
with unproved as (
    select l.feed_id, l.unit_id
      from rentsync.ledger l join rentsync.feed f using (feed_id)
     where f.receiver = $1 and l.bisection = 0 and l.withheld = 'refused'
       and ($3::float8 is null or l.withheld_at <= coalesce($2, clock_timestamp()) - make_interval(secs => $3))
     order by l.feed_id, l.unit_id
       for no key update of l
)
update rentsync.ledger l
   set withheld = null, withheld_because = null, refused_hash = null, withheld_at = null
  from unproved
 where l.feed_id = unproved.feed_id and l.unit_id = unproved.unit_id
