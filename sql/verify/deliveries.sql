-- How far the feeds $1 are delivered: the sync that carries the property's own fields, the first that is under way (what it
-- and later ones carry is not acknowledged), and the digests after the newest, ours and what its answer said, where it was
-- delivered and can be compared: both sides say one, and nothing is refused, held or owed since. Reads only.
select f.feed_id, f.property_sequence, open.sequence as under_way,
       newest.sequence as newest, encode(newest.digest, 'hex') as our_digest, lower(newest.digest_said) as their_digest
  from rentsync.feed f
  left join lateral (
       select sf.sequence from rentsync.sync_feed sf where sf.feed_id = f.feed_id and sf.is_open
       ) as open on true
  left join lateral (
       select sf.sequence, sf.digest, sf.digest_said
         from rentsync.sync_feed sf
         join rentsync.sync s using (sequence)
        where sf.sequence = (select max(sequence) from rentsync.sync_feed where feed_id = f.feed_id)
          and sf.feed_id = f.feed_id and s.state = 'delivered' and sf.digest is not null and sf.digest_said is not null
          and not exists (select from rentsync.ledger l
                           where l.feed_id = f.feed_id and (l.withheld is not null or l.owed is not null))
       ) as newest on true
 where f.feed_id = any ($1)
 order by f.feed_id
