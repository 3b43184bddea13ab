-- Whether receiver $1 was ever run, and whether it has a feed of property $2 (null: of any). Reads only.
select exists (select from rentsync.receiver where receiver = $1),
       $2::bigint is null or exists (select from rentsync.feed where receiver = $1 and property_id = $2)
