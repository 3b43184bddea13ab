-- The newest transaction among the $2 oldest changes that are from before $1; null: none is. Reads only.
--
-- By transaction, because that has an index and is what cursors are compared with. So a step costs what it prunes, and one
-- that finds nothing reads $2 entries at most.
select (array_agg(xid::text order by xid desc))[1]
  from (select xid, occurred_at from rentsync.outbox order by xid limit $2) as oldest
 where occurred_at < $1
