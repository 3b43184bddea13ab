-- The feeds of receiver $1 of which a replay is about more than units, within the time and for the property that
-- units.sql has as $2 to $5: the whole property was touched, or its own fields were told. How many units it has, where it
-- is about all of them, and whether the receiver is to have the property ($6: its property groups, null: all). The relay's own notices touch nothing at the source. Reads only.
with feed as materialized (
    select f.feed_id, f.property_id, f.property_sequence,
           f.enabled and coalesce(p.is_active, false)
               and ($6::bigint[] is null or coalesce(p.project_group_id = any ($6), false)) as is_covered
      from rentsync.feed f
      left join rentsync.source_property() p on p.property_id = f.property_id
     where f.receiver = $1 and ($4::bigint is null or f.property_id = $4)
), tried as (
    select distinct sequence from rentsync.attempt
     where started_at >= $2::timestamptz - make_interval(secs => $5) and ($3::timestamptz is null or started_at < $3)
       and (finished_at is null or finished_at >= $2)
), told as materialized (
    select distinct feed_id
      from tried join rentsync.sync_feed sf using (sequence) join feed using (feed_id)
     -- A sync that tells no unit tells the property's fields.
     where sf.sequence = feed.property_sequence or (sf.units = '{}' and sf.gone = '{}')
), whole as materialized (
    select distinct property_id from rentsync.outbox
     where unit_ids is null and op not in ('feed', 'settings')
       and occurred_at >= $2 and ($3::timestamptz is null or occurred_at < $3)
)
select feed.feed_id, feed.property_id, is_whole, is_told,
       case when is_whole and is_covered then (select count(*) from rentsync.source_unit() s where s.property_id = feed.property_id)
            else 0 end,
       is_covered
  from feed
 cross join lateral (
       select exists (select from whole where whole.property_id = feed.property_id or whole.property_id is null) as is_whole,
              exists (select from told where told.feed_id = feed.feed_id) as is_told
       ) as about
 where is_whole or is_told
 order by feed.feed_id
