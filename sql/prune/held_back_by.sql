-- The receivers with feeds that may not have planned transaction $1 yet. Reads only.
select distinct receiver from rentsync.feed where pg_snapshot_xmin(cursor) <= $1::text::xid8 order by receiver
