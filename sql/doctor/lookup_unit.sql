-- How a unit is looked up by its id. Executes nothing.
explain (costs off) select from rentsync.source_unit() where unit_id = 1::bigint
