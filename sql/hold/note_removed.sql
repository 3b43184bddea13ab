-- Notes for receiver $1 at $2 (null: now) how many removals the syncs $4 have of the feeds $3 for the first time: of units $5, of whole properties
-- $6, when there were $7 units; and how many were sealed for the receiver in all. Locks the receiver's counts.
with noted as (
    insert into rentsync.removed (receiver, told_at, feed_id, sequence, units, uncovered, units_before)
    select $1, coalesce($2, clock_timestamp()), removed.*
      from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
           as removed (feed_id, sequence, units, uncovered, units_before)
    returning units + uncovered as units
)
insert into rentsync.receiver_count as c (receiver, gone)
select $1, sum(units) from noted
on conflict (receiver) do update set gone = c.gone + excluded.gone
