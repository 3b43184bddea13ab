-- Which of the units that a plan may seal receiver $7 still has, or may have, from another of its feeds: of the
-- touched ($1 feed, $2 unit), the owed of the feeds $3 (as many as are read, $6 each), and all that the source has, or that is sealed as
-- unavailable, for the feeds $4 (properties $5); and whether it lives there. A refused removal was not let go of. Each unit is
-- looked up by itself. Reads only.
with wanted as (
    select touched.feed_id, touched.unit_id from unnest($1::bigint[], $2::bigint[]) as touched (feed_id, unit_id)
     union
    select owed.feed_id, owed.unit_id
      from unnest($3::bigint[]) as feed (feed_id)
     cross join lateral (
           select l.feed_id, l.unit_id from rentsync.ledger l
            where l.feed_id = feed.feed_id and l.owed is not null and l.withheld is null
            order by l.owed = 'removal', l.bisection is not null, l.bisection desc, l.unit_id
            limit $6
           ) as owed
     union
    select whole.feed_id, s.unit_id::bigint
      from unnest($4::bigint[], $5::bigint[]) as whole (feed_id, property_id)
      join rentsync.source_unit() s on s.property_id = whole.property_id
     union
    select whole.feed_id, gone.unit_id
      from unnest($4::bigint[]) as whole (feed_id)
     cross join lateral (
           select l.unit_id from rentsync.ledger l
            where l.feed_id = whole.feed_id and l.removed is not null and l.hash is not null
           ) as gone
)
select wanted.feed_id, wanted.unit_id, elsewhere.lives
  from wanted
 cross join lateral (
       select l.removed is null as lives from rentsync.ledger l
        where l.unit_id = wanted.unit_id and l.feed_id <> wanted.feed_id and l.sequence is not null
          and exists (select from rentsync.feed f where f.feed_id = l.feed_id and f.receiver = $7)
          and (l.removed is null or l.owed is not null or l.withheld = 'refused'
            or exists (select from rentsync.sync s where s.sequence = l.sequence and s.state in ('open', 'waiting')))
        order by l.removed is null desc
        limit 1
       ) as elsewhere
