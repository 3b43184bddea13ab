-- Properties of the source with id $1 (null: none), or with $2 in their name whatever its case, at most $4; of a name longer than $3
-- bytes nothing is read. Reads only; reads every property once.
select p.property_id::bigint as property_id, case when octet_length(p.name::text) <= $3 then p.name::text end as name
  from rentsync.source_property() p
 where p.property_id is not null
   and (p.property_id = $1
     or octet_length(p.name::text) <= $3 and position(lower($2::text) in lower(p.name::text)) > 0)
 order by p.property_id
 limit $4
