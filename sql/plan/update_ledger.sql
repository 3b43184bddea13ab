-- Writes over ledger rows that are there, one an element of $1 to $12, as the plan worked them out. Locks the rows; their feeds
-- are locked already. Each is looked up by its key; no index has anything that changes for most of them, so that they stay on
-- their page.
-- A code that is sealed anew may not arrive: the ones before it are noted, all of them as long as none was acknowledged.
-- What is withheld is so since the first time it was, at $13 (null: now) if that is this time. How often it was refused counts for
-- that content alone.
update rentsync.ledger as l
   set unit_code = written.unit_code, hash = written.hash, removed = written.removed,
       sequence = written.sequence, owed = written.owed, bisection = written.bisection,
       withheld = written.withheld, withheld_because = written.withheld_because,
       refused_hash = written.refused_hash, content = written.content,
       refusals = case when written.hash is not distinct from l.hash and written.removed is not distinct from l.removed
                       then l.refusals else 0 end,
       codes_before = case
           when written.sequence is not distinct from l.sequence then l.codes_before
           when l.codes_before is null and written.unit_code is not distinct from l.unit_code then null
           else nullif(array_remove(array_remove(
                    array_remove(case when l.owed is not null or l.withheld = 'refused' then l.codes_before end, l.unit_code)
                    || l.unit_code, written.unit_code), null), '{}')
       end,
       withheld_at = case when written.withheld is null then null
                          when written.withheld = l.withheld then l.withheld_at
                          else coalesce($13, clock_timestamp()) end
  from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::bigint[], $7::text[], $8::bigint[],
              $9::text[], $10::text[], $11::bytea[], $12::text[])
       as written (feed_id, unit_id, unit_code, hash, removed, sequence, owed, bisection, withheld, withheld_because,
                   refused_hash, content)
 where l.feed_id = written.feed_id and l.unit_id = written.unit_id
