-- The units that a replay to receiver $1 is about: those of syncs tried from $2 until $3 (null: now), upserts and
-- removals, and those touched within that time; of property $4 (null: of all), of the feeds $9 (null: of all). A request that began up
-- to $5 seconds before $2 may have been applied after it.
--
-- With each: whether the ledger knows it, whether the source has it under this property and the receiver is to have it ($8: the
-- receiver's property groups, null: all), what keeps it back, and whether
-- it needs a tombstone ($6: the receiver knows removals): it is gone and the ledger has forgotten it. Not where a receiver
-- that knows units by their ids alone ($7) has it from another feed: that removal would drop the living.
--
-- Each step looks up by key what the one before it found, fenced, so that neither the statistics nor their lack make it a join of
-- everything with everything. Reads only.
with tried as materialized (
    select distinct sequence from rentsync.attempt
     where started_at >= $2::timestamptz - make_interval(secs => $5) and ($3::timestamptz is null or started_at < $3)
       and (finished_at is null or finished_at >= $2)
), asked as materialized (
    select feed_id, array_agg(unit_id) as units, array_agg(was_sent) as sent
      from (select feed_id, unit_id, bool_or(was_sent) as was_sent
              from (select sf.feed_id, unnest(sf.units || sf.gone) as unit_id, true as was_sent
                      from tried
                     cross join lateral (
                           select * from rentsync.sync_feed sf
                            where sf.sequence = tried.sequence and ($9::bigint[] is null or sf.feed_id = any ($9)) offset 0
                           ) as sf
                     union all
                    select f.feed_id, unnest(o.unit_ids), false
                      from rentsync.feed f
                     cross join lateral (
                           select o.unit_ids from rentsync.outbox o
                            where o.property_id = f.property_id
                              and o.occurred_at >= $2 and ($3::timestamptz is null or o.occurred_at < $3) offset 0
                           ) as o
                     where f.receiver = $1 and ($4::bigint is null or f.property_id = $4)
                       and ($9::bigint[] is null or f.feed_id = any ($9))
                   ) as either
             group by feed_id, unit_id
           ) as unit
     group by feed_id
)
select f.feed_id, f.property_id, unit.unit_id,
       l.unit_id is not null,
       s.unit_id is not null and f.enabled and coalesce(p.is_active, false)
           and ($8::bigint[] is null or coalesce(p.project_group_id = any ($8), false)),
       l.withheld is not null,
       $6 and l.unit_id is null and (unit.was_sent or s.unit_id is null)
          and not ($7 and exists (
              select from rentsync.ledger other
                join rentsync.feed f on f.feed_id = other.feed_id and f.receiver = $1
               where other.unit_id = unit.unit_id and other.feed_id <> asked.feed_id and other.hash is not null)),
       b.unit_code, b.sequence
  from asked
 cross join lateral (
       select * from rentsync.feed f
        where f.feed_id = asked.feed_id and f.receiver = $1 and ($4::bigint is null or f.property_id = $4) offset 0
       ) as f
  left join lateral (select * from rentsync.source_property() p where p.property_id = f.property_id limit 1) as p on true
 cross join lateral unnest(asked.units, asked.sent) as unit (unit_id, was_sent)
  left join lateral (
       select * from rentsync.ledger l where l.feed_id = f.feed_id and l.unit_id = unit.unit_id limit 1
       ) as l on true
  left join lateral (
       select * from rentsync.purged_tombstone b where b.feed_id = f.feed_id and b.unit_id = unit.unit_id limit 1
       ) as b on true
  left join lateral (
       select s.unit_id from rentsync.source_unit() s where s.unit_id = unit.unit_id and s.property_id = f.property_id limit 1
       ) as s on true
 order by f.feed_id, unit.unit_id
