-- Changes captured, and units and removals sealed, so far.
select (select count(*) from rentsync.outbox),
       (select coalesce(sum(units + removed_units), 0) from rentsync.sync)
