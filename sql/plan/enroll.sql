-- A feed to receiver $1 for each active property of the groups $2 (null: of all) that has none: of the properties $3 or, where that
-- is null, among the next $5 beyond $4. Answers the last of these that was looked at, null where there are no more.
--
-- Inserts only; the unique key lets two relays do it at once. A new feed has no cursor: its first plan compares
-- everything, in a snapshot taken after the triggers stood. In slices, so that a statement costs the same however many
-- properties there are, also in a database that was never analysed. Who has a feed is read once and taken off: asked of each by
-- itself, a plan that was made while there were none would read all feeds for each.
with property as materialized (
    select p.property_id, p.is_active, p.project_group_id
      from rentsync.source_property() p
     where p.property_id = any ($3::bigint[])
     union all
   (select p.property_id, p.is_active, p.project_group_id
      from rentsync.source_property() p
     where $3 is null and p.property_id > $4
     order by p.property_id
     limit $5)
), known as (
    select f.property_id from rentsync.feed f where f.receiver = $1 and f.property_id = any ($3::bigint[])
     union all
    select f.property_id
      from rentsync.feed f
     where $3 is null and f.receiver = $1 and f.property_id > $4 and f.property_id <= (select max(property_id) from property)
), enrolled as (
    insert into rentsync.feed (receiver, property_id)
    select $1, property_id
      from (select p.property_id::bigint
              from property p
             where p.is_active and ($2::bigint[] is null or p.project_group_id = any ($2))
            except
            select property_id from known) as new
     order by property_id
    on conflict do nothing
)
select case when $3 is null and count(*) = $5 then max(property_id)::bigint end from property
