-- The units kept back in the way $2 (refused, invalid) from receiver $1 (null: from any), and what of them. A refusal without a
-- hash is of a removal. Reads only.
select l.unit_id, f.receiver, f.property_id, l.unit_code, l.kept_back_at as since,
       case when l.kept_back = 'refused' and l.kept_back_hash is null then 'removal' else 'content' end as what,
       l.kept_back_because as because
  from rentsync.ledger l
  join rentsync.feed f using (feed_id)
 where l.kept_back = $2 and ($1::text is null or f.receiver = $1)
 order by f.receiver, f.property_id, l.unit_id
