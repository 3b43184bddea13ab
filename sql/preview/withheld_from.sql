-- The feeds of receiver $1, of property $2 only (null: of all), that are not planned at $3 (null: now) whatever their news, and
-- why. Reads only.
select f.property_id,
       case when f.paused_because is not null
            then 'its feed is paused (' || f.paused_because || '): `feeds resume ' || f.property_id || '`'
            when open.sync_id is not null
            then open.sync_id || ' is under way' || case when open.attempts > 0 then ', tried ' || open.attempts || ' times' else '' end
            else 'it rests until ' || to_char(f.cooldown_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')
                 || ' after a sync that was given up'
                 || case f.cooldown_because when 'exhausted' then ', or until the receiver acknowledges anything' else '' end
       end as because
  from rentsync.feed f
  left join lateral (
       select s.sync_id, s.attempts from rentsync.sync_feed sf join rentsync.sync s using (sequence)
        where sf.feed_id = f.feed_id and sf.is_open
       ) as open on true
 where f.receiver = $1 and ($2::bigint is null or f.property_id = $2)
   and (f.paused_because is not null or open.sync_id is not null or f.cooldown_until > coalesce($3, clock_timestamp()))
 order by f.property_id
