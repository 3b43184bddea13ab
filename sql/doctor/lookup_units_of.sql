-- How the units of a property are looked up. Executes nothing.
explain (costs off) select from rentsync.source_unit() where property_id = 1::bigint
