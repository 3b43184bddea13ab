-- Moves the planned feeds' cursors to this transaction's snapshot and notes what of the property was sealed ($3 to $5,
-- pairwise with the feeds $1; $2: whether the feed's property was sealed in sync $4; $6: whether this receiver is sent
-- properties at all; $7: whether bisection units wait for their turn; $8: when the oldest change was made that each owes;
-- $9: how many units each has). What was due is planned by that. The feeds are locked already.
--
-- How many units there were when the last 24 hours began is kept for each feed and, by what changes, for the receiver $10: a
-- plan that has to know it would read every feed. Locks the receiver's counts.
with planned as materialized (
    select planned.*, before.of_units as of_units_before,
           least(coalesce(removed.units_before, planned.units), planned.units + coalesce(removed.gone, 0)) as of_units
      from unnest($1::bigint[], $2::boolean[], $3::bytea[], $4::bigint[], $5::bytea[], $7::boolean[],
                  $8::timestamptz[], $9::bigint[])
           as planned (feed_id, is_sealed, property_hash, sequence, digest, bisection_waits, oldest_change, units)
      join rentsync.feed before using (feed_id)
     cross join lateral (
           select sum(r.units + r.uncovered)::bigint as gone, (array_agg(r.units_before order by r.sequence))[1] as units_before
             from rentsync.removed r
            where r.feed_id = planned.feed_id
           ) as removed
), advanced as (
    update rentsync.feed f
       set cursor            = pg_current_snapshot(),
           digest            = planned.digest,
           units             = planned.units,
           of_units          = planned.of_units,
           property_hash     = case when planned.is_sealed then planned.property_hash else f.property_hash end,
           property_sequence = case when planned.is_sealed then planned.sequence else f.property_sequence end,
           property_owed     = case when planned.is_sealed or not $6 then null else f.property_owed end,
           snapshot_due      = null,
           mismatch_again    = f.mismatch_again and f.snapshot_due is null,
           bisection           = null,
           bisection_waited   = planned.bisection_waits,
           owed_since        = case when exists (select from rentsync.ledger l
                                                  where l.feed_id = f.feed_id and l.owed is not null and l.withheld is null)
                                    then planned.oldest_change end,
           cooldown_until        = null,
           cooldown_because      = null
      from planned
     where f.feed_id = planned.feed_id
), changed as (
    select sum(of_units - of_units_before)::bigint as units from planned
)
insert into rentsync.receiver_count as c (receiver, of_units)
select $10, units from changed where units <> 0
on conflict (receiver) do update set of_units = c.of_units + excluded.of_units
