-- Deletes holds that were settled before $1, at most $2, but for rejected ones that still keep a unit. Passes over what is locked.
delete from rentsync.hold
 where hold_id in (
       select h.hold_id from rentsync.hold h
        where h.settled_at < $1
          and not exists (select from rentsync.units_of_hold(h) u)
        limit $2 for update skip locked
       )
