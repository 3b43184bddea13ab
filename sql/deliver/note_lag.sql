-- Counts the syncs $1, which were acknowledged at $2 (null: now), by how old the oldest change in each was then, for receiver $3. What no
-- change brought about (a night's snapshot), and what was redelivered, says nothing of that. Locks those counts, whose receiver's
-- row is locked already.
with acknowledged as (
    select date_trunc('minute', moment.now) as minute,
           least(greatest(ceil(4 * log(2, greatest(extract(epoch from moment.now - s.oldest_change) * 1000, 1)::numeric)), 0), 127)::smallint as step
      from rentsync.sync s
     cross join (select coalesce($2::timestamptz, clock_timestamp()) as now) as moment
     where s.sequence = any ($1) and s.oldest_change is not null and s.redelivered_at is null
)
insert into rentsync.lag_count as c (receiver, step, minute_of_hour, began, syncs)
select $3, step, extract(minute from minute at time zone 'UTC'), minute, count(*)
  from acknowledged
 group by step, minute
on conflict (receiver, step, minute_of_hour) do update
   set began = excluded.began, syncs = excluded.syncs + case when c.began = excluded.began then c.syncs else 0 end
