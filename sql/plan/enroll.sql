-- A feed for each active property of the portfolio that has none; $3 names properties, null = all.
--
-- Inserts only; the unique key lets two relays do it at once. A new feed has no cursor: its first plan compares
-- everything, in a snapshot taken after the triggers stood.
insert into rentsync.feed (receiver, property_id)
select $1, p.property_id
  from rentsync.source_property() p
 where p.is_active
   and ($2::bigint[] is null or p.project_group_id = any ($2))
   and ($3::bigint[] is null or p.property_id = any ($3))
   and not exists (select from rentsync.feed f where f.receiver = $1 and f.property_id = p.property_id)
on conflict do nothing
