-- Which codes several units of one property carry, for the feeds $1 of the properties $2 (null: none does, which is known), as
-- the receiver is sent them: $3 and the source's code, or the code $5 of unit $4, or what was
-- imported for receiver $8. Blank codes say nothing, and codes of more than
-- $7 bytes are never sent. At $6 (null: now).
--
-- Notes them in place of what was noted of these feeds, and says of every feed that has any how many codes those are, whether
-- one of them is new or was joined by a unit, and which units carry the first that is, or the first of all. Codes are counted
-- before units are gathered: an array for every code would be most of the work. What was imported is looked up a unit at a time: as
-- a join the whole mapping would be read for every feed. Locks the notes that it changes.
with asked as (
    select * from unnest($1::bigint[], $2::bigint[]) as asked (feed_id, property_id)
), carried as materialized (
    select asked.feed_id, s.unit_id, coalesce(mapped.unit_code, s.imported_code, $3::text || s.unit_code) as unit_code
      from asked
     cross join lateral (
           select s.unit_id, s.unit_code,
                  (select m.unit_code from rentsync.unit_mapping m where m.receiver = $8 and m.unit_id = s.unit_id) as imported_code
             from rentsync.source_unit() s
            where s.property_id = asked.property_id
           offset 0
           ) as s
      left join unnest($4::bigint[], $5::text[]) as mapped (unit_id, unit_code) on mapped.unit_id = s.unit_id
     where coalesce(mapped.unit_code, s.imported_code) is not null
        or case when octet_length(s.unit_code) <= $7 then btrim(s.unit_code, E' \t\r\n') <> '' end
), several as (
    select feed_id, unit_code from carried group by feed_id, unit_code having count(*) > 1
), found as (
    select feed_id, unit_code, array_agg(unit_id::bigint order by unit_id) as unit_ids
      from carried
      join several using (feed_id, unit_code)
     group by feed_id, unit_code
), over as (
    delete from rentsync.duplicate d
     using asked
     where d.feed_id = asked.feed_id
       and not exists (select from found where found.feed_id = d.feed_id and found.unit_code = d.unit_code)
), noted as (
    insert into rentsync.duplicate as d (feed_id, unit_code, unit_ids, since)
    select feed_id, unit_code, unit_ids, coalesce($6, clock_timestamp()) from found
        on conflict (feed_id, unit_code) do update set unit_ids = excluded.unit_ids
     where d.unit_ids <> excluded.unit_ids
)
select distinct on (feed_id)
       feed_id, count(*) over feed as codes, bool_or(news.is_new) over feed as is_new, found.unit_ids
  from found
  left join rentsync.duplicate before using (feed_id, unit_code)
 cross join lateral (
       select before.unit_ids is null or not found.unit_ids <@ before.unit_ids as is_new
       ) as news
window feed as (partition by feed_id)
 order by feed_id, news.is_new desc, unit_code
