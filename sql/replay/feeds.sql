-- The feeds of receiver $1 of which a replay is about more than units, within the time and for the property that
-- units.sql has as $2 to $5, and of the feeds $7 (null: of all): the whole property was touched, or its own fields were sent. How many units it has, where it
-- is about all of them, and whether the receiver is to have the property ($6: its property groups, null: all). The relay's own notices
-- touch nothing at the source. What was sent is looked up sync by sync, and what was touched is hashed: of thousands of properties that
-- the statistics know nothing of none is compared with each other. Reads only.
with feed as materialized (
    select f.feed_id, f.property_id, f.property_sequence,
           f.enabled and coalesce(p.is_active, false)
               and ($6::bigint[] is null or coalesce(p.project_group_id = any ($6), false)) as is_covered
      from rentsync.feed f
      left join rentsync.source_property() p on p.property_id = f.property_id
     where f.receiver = $1 and ($4::bigint is null or f.property_id = $4) and ($7::bigint[] is null or f.feed_id = any ($7))
), tried as (
    select distinct sequence from rentsync.attempt
     where started_at >= $2::timestamptz - make_interval(secs => $5) and ($3::timestamptz is null or started_at < $3)
       and (finished_at is null or finished_at >= $2)
), sent as materialized (
    select distinct sf.feed_id
      from tried
     cross join lateral (select * from rentsync.sync_feed sf where sf.sequence = tried.sequence offset 0) as sf
     cross join lateral (
           select from rentsync.feed f
            where f.feed_id = sf.feed_id and f.receiver = $1
              -- A sync that carries no unit carries the property's fields.
              and (sf.sequence = f.property_sequence or sf.units = '{}' and sf.gone = '{}')
           offset 0
           ) as own
), whole as materialized (
    select distinct property_id from rentsync.outbox
     where unit_ids is null and op not in ('feed', 'settings')
       and occurred_at >= $2 and ($3::timestamptz is null or occurred_at < $3)
)
select feed.feed_id, feed.property_id, is_whole, is_sent,
       case when is_whole and is_covered then (select count(*) from rentsync.source_unit() s where s.property_id = feed.property_id)
            else 0 end,
       is_covered
  from feed
 cross join lateral (
       -- Null where it is not among those that were touched, and all were.
       select coalesce(feed.property_id in (select property_id from whole), true) as is_whole,
              feed.feed_id in (select feed_id from sent) as is_sent
       offset 0
       ) as about
 where is_whole or is_sent
 order by feed.feed_id
