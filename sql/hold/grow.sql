-- Removals joined the hold over feed $2 (null: over the whole) of receiver $1, which is opened where there is none: so many units
-- $3, so many sealed before $4, of so many $5, at $6 (null: now). It gets a new number: whoever approved the old one named
-- fewer. Locks it.
insert into rentsync.hold as h (receiver, feed_id, units, gone, of_units, opened_at, grown_at)
select $1, grown.feed_id, grown.units, grown.gone, grown.of_units, moment.now, moment.now
  from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as grown (feed_id, units, gone, of_units)
 cross join (select coalesce($6, clock_timestamp()) as now) as moment
on conflict (receiver, coalesce(feed_id, -1)) where state = 'open' do update
   set hold_id = excluded.hold_id, units = excluded.units, gone = excluded.gone, of_units = excluded.of_units,
       grown_at = excluded.grown_at
