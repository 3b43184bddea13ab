-- Holds of receiver $1 that need nobody any more, at $2 (null: now), because units came back: what is left of them, with what was
-- told before, is fewer than the settings allow ($3 units and $4 percent of a feed, $5 and $6 of the receiver). What is left is
-- told. Looks at the hold over the whole and at those of the feeds $7 (null: all). Locks them and their units. Says how many
-- holds are open after that.
with standing as (
    select h.hold_id, h.feed_id, h.gone, h.of_units, count(l.unit_id) as units,
           case when h.feed_id is null then 'guarded' else 'held' end as kept_back
      from rentsync.hold h
      left join rentsync.feed f on f.receiver = h.receiver and f.feed_id = coalesce(h.feed_id, f.feed_id)
      left join rentsync.ledger l on l.feed_id = f.feed_id and l.kept_back in ('held', 'guarded')
                                 and l.kept_back = case when h.feed_id is null then 'guarded' else 'held' end
     where h.receiver = $1 and h.state = 'open' and ($7::bigint[] is null or h.feed_id is null or h.feed_id = any ($7))
     group by h.hold_id
), over as (
    select * from standing
     where units = 0
        or units + gone < case when feed_id is null then $5::bigint else $3::bigint end
        or (units + gone) * 100 <= of_units * case when feed_id is null then $6::bigint else $4::bigint end
        or case when feed_id is null then $6::bigint else $4::bigint end = 100
), released as (
    update rentsync.ledger l
       set kept_back = null, kept_back_because = null, kept_back_at = null, owed = coalesce(l.owed, 'removal')
      from over join rentsync.feed f on f.receiver = $1 and f.feed_id = coalesce(over.feed_id, f.feed_id)
     where l.feed_id = f.feed_id and l.kept_back in ('held', 'guarded') and l.kept_back = over.kept_back
), cleared as (
    update rentsync.hold h
       set state = 'cleared', settled_at = coalesce($2, clock_timestamp())
      from over
     where h.hold_id = over.hold_id
)
select (select count(*) from rentsync.hold h where h.receiver = $1 and h.state = 'open') - (select count(*) from over)
