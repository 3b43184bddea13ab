-- Open holds of receiver $1 that the next sweep ends, by the settings $2 to $5, of property $6 (null: of any), and how many removals
-- are told then. Reads only.
select hold_id, property_id, units from rentsync.holds_over($1, $2, $3, $4, $5)
 where units > 0 and ($6::bigint is null or property_id is null or property_id = $6)
 order by hold_id
