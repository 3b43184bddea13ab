-- The first $3 (null: all) of the units withheld in the way $2 (refused, invalid) from receiver $1 (null: from any), and what of them; of a refusal also the
-- sync that carried it and the newest answer to that. A refusal without a hash is of a removal. Reads only.
select l.unit_id, f.receiver, f.property_id, l.unit_code, l.withheld_at as since,
       case when l.withheld = 'refused' and l.refused_hash is null then 'removal' else 'content' end as what,
       case when l.withheld = 'refused' then l.retry_at end as retry_at,
       l.withheld_because as because, sent.sync_id, sent.answer
  from rentsync.ledger l
  join rentsync.feed f using (feed_id)
  left join lateral (
       select s.sync_id,
              (select a.answer from rentsync.attempt a
                where a.sequence = s.sequence and a.answer is not null
                order by a.lease desc limit 1) as answer
         from rentsync.sync s
        where l.withheld = 'refused' and s.sequence = l.sequence
       ) as sent on true
 where l.withheld = $2 and ($1::text is null or f.receiver = $1)
 order by f.receiver, f.property_id, l.unit_id
 limit $3
