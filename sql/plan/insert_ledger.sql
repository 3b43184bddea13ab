-- Ledger rows of units that had none, one an element of $1 to $12, as the plan worked them out; what is withheld is so since $13
-- (null: now). Their feeds are locked already, and nobody else writes such rows meanwhile. Inserts only.
insert into rentsync.ledger
    (feed_id, unit_id, unit_code, hash, removed, sequence, owed, bisection, withheld, withheld_because, refused_hash,
     content, withheld_at)
select written.*, case when written.withheld is not null then coalesce($13, clock_timestamp()) end
  from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::bigint[], $7::text[], $8::bigint[],
              $9::text[], $10::text[], $11::bytea[], $12::text[])
       as written (feed_id, unit_id, unit_code, hash, removed, sequence, owed, bisection, withheld, withheld_because,
                   refused_hash, content)
