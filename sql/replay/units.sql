-- The units that a replay to receiver $1 is about: those of syncs tried from $2 until $3 (null: now), upserts and
-- removals, and those touched within that time; of property $4 (null: of all). A request that began up to $5 seconds
-- before $2 may have been applied after it.
--
-- With each: whether the ledger knows it, whether the source has it under this property and the receiver is to have it ($8: the
-- receiver's property groups, null: all), what keeps it back, and whether
-- it needs a tombstone ($6: the receiver knows removals): it is gone and the ledger has forgotten it. Not where a receiver
-- that knows units by their ids alone ($7) has it from another feed: that removal would drop the living. What was sent is looked up sync by
-- sync, so that a short time costs little whatever the statistics say. Reads only.
with feed as materialized (
    select f.feed_id, f.property_id,
           f.enabled and coalesce(p.is_active, false)
               and ($8::bigint[] is null or coalesce(p.project_group_id = any ($8), false)) as is_covered
      from rentsync.feed f
      left join rentsync.source_property() p on p.property_id = f.property_id
     where f.receiver = $1 and ($4::bigint is null or f.property_id = $4)
), tried as materialized (
    select distinct sequence from rentsync.attempt
     where started_at >= $2::timestamptz - make_interval(secs => $5) and ($3::timestamptz is null or started_at < $3)
       and (finished_at is null or finished_at >= $2)
), asked as (
    select feed_id, unit_id, bool_or(was_sent) as was_sent
      from (select feed_id, unnest(sf.units || sf.gone) as unit_id, true as was_sent
              from tried
             cross join lateral (select * from rentsync.sync_feed sf where sf.sequence = tried.sequence offset 0) as sf
              join feed using (feed_id)
             union all
            select feed_id, unnest(o.unit_ids), false
              from rentsync.outbox o join feed using (property_id)
             where o.occurred_at >= $2 and ($3::timestamptz is null or o.occurred_at < $3)
           ) as either
     group by feed_id, unit_id
)
select feed.feed_id, feed.property_id, asked.unit_id,
       l.unit_id is not null,
       s.unit_id is not null and feed.is_covered,
       l.withheld is not null,
       $6 and l.unit_id is null and (asked.was_sent or s.unit_id is null)
          and not ($7 and exists (
              select from rentsync.ledger other
                join rentsync.feed f on f.feed_id = other.feed_id and f.receiver = $1
               where other.unit_id = asked.unit_id and other.feed_id <> feed.feed_id and other.hash is not null)),
       b.unit_code, b.sequence
  from asked
  join feed using (feed_id)
  left join rentsync.ledger l on l.feed_id = asked.feed_id and l.unit_id = asked.unit_id
  left join rentsync.purged_tombstone b on b.feed_id = asked.feed_id and b.unit_id = asked.unit_id
  left join rentsync.source_unit() s on s.unit_id = asked.unit_id and s.property_id = feed.property_id
 order by feed.feed_id, asked.unit_id
