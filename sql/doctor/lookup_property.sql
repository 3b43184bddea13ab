-- How a property is looked up by its id. Executes nothing.
explain (costs off) select from rentsync.source_property() where property_id = 1::bigint
