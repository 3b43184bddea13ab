-- Writes whole ledger rows, one an element of $1 to $12, as the plan worked them out. Locks the rows it replaces;
-- their feeds are locked already.
-- A code that is sealed anew may not arrive: the ones before it are noted, all of them as long as none was acknowledged.
-- What is withheld is so since the first time it was, at $13 (null: now) if that is this time. How often it was refused counts for
-- that content alone.
insert into rentsync.ledger as l
    (feed_id, unit_id, unit_code, hash, removed, sequence, owed, bisection, withheld, withheld_because, refused_hash,
     content, withheld_at)
select written.*, case when written.withheld is not null then coalesce($13, clock_timestamp()) end
  from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::bigint[], $7::text[], $8::bigint[],
              $9::text[], $10::text[], $11::bytea[], $12::text[])
       as written (feed_id, unit_id, unit_code, hash, removed, sequence, owed, bisection, withheld, withheld_because,
                   refused_hash, content)
on conflict (feed_id, unit_id) do update
   set unit_code = excluded.unit_code, hash = excluded.hash, removed = excluded.removed,
       sequence = excluded.sequence, owed = excluded.owed, bisection = excluded.bisection,
       withheld = excluded.withheld, withheld_because = excluded.withheld_because,
       refused_hash = excluded.refused_hash, content = excluded.content,
       refusals = case when excluded.hash is not distinct from l.hash and excluded.removed is not distinct from l.removed
                       then l.refusals else 0 end,
       codes_before = case
           when excluded.sequence is not distinct from l.sequence then l.codes_before
           else nullif(array_remove(array_remove(
                    array_remove(case when l.owed is not null or l.withheld = 'refused' then l.codes_before end, l.unit_code)
                    || l.unit_code, excluded.unit_code), null), '{}')
       end,
       withheld_at = case when excluded.withheld = l.withheld then l.withheld_at else excluded.withheld_at end
