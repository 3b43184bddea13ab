-- What receiver $1 has a name of its own for: units (true) and properties (false) by their ids. Reads only.
select true, m.unit_id from rentsync.unit_mapping m where m.receiver = $1
 union all
select false, f.property_id from rentsync.feed f where f.receiver = $1 and f.external_id is not null
