-- For each property $2, in their order: whether the source has it, and what receiver $1 calls it. Reads only.
select s.property_id is not null, f.external_id
  from unnest($2::bigint[]) with ordinality as asked (property_id, place)
  left join rentsync.source_property() s on s.property_id = asked.property_id
  left join rentsync.feed f on f.receiver = $1 and f.property_id = asked.property_id
 order by asked.place
