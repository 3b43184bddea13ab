-- Which of the units $2, wanted by the feeds $3 (pairwise) of receiver $1, another feed of that receiver has told and
-- not yet taken back. Reads only.
select wanted.unit_id, wanted.feed_id
  from unnest($2::bigint[], $3::bigint[]) as wanted (unit_id, feed_id)
 where exists (
       select from rentsync.ledger l
         join rentsync.feed f on f.feed_id = l.feed_id and f.receiver = $1
         left join rentsync.sync s on s.sequence = l.sequence
        where l.unit_id = wanted.unit_id and l.feed_id <> wanted.feed_id and l.sequence is not null
          and (l.removed is null or l.owed is not null or s.state in ('open', 'waiting')))
