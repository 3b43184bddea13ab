-- What receiver $1 refused without proof is sent once more, by itself, at $2 (null: now): what was refused $3 seconds before or longer ago;
-- null: all that it rejected while it acknowledged nothing, because it does now. Costs what there is of it (index ledger_unproved).
-- Locks those units, in the order in which a plan writes them.
with unproved as (
    select l.feed_id, l.unit_id
      from rentsync.ledger l join rentsync.feed f using (feed_id)
     where f.receiver = $1 and l.bisection <= 0 and l.withheld = 'refused'
       and case when $3::float8 is null then l.bisection = 0
                else l.withheld_at <= coalesce($2, clock_timestamp()) - make_interval(secs => $3) end
     order by l.feed_id, l.unit_id
       for no key update of l
)
update rentsync.ledger l
   set withheld = null, withheld_because = null, refused_hash = null, withheld_at = null
  from unproved
 where l.feed_id = unproved.feed_id and l.unit_id = unproved.unit_id
