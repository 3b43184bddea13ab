-- Which of the ids that are reserved for certify the source has all the same; $1 and $2 the first and last of properties, $3 and $4
-- of units. Reads by the source functions' own look-ups, locks nothing; one row is enough to refuse.
select kind, id from (
    select 'property' as kind, p.property_id::bigint as id from rentsync.source_property() p where p.property_id between $1::bigint and $2::bigint
    union all
    select 'unit', s.unit_id::bigint from rentsync.source_unit() s where s.unit_id between $3::bigint and $4::bigint) as found
 limit 1
