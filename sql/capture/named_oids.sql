-- The oids of the tables $1 (properties) and $2 (units), units first. Asks the catalogs alone.
select $2::text::regclass::oid as unit, $1::text::regclass::oid as property
