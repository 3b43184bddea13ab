-- Resumes every paused feed of receiver $1. Locks those feeds. A row in the outbox has each planned at once. Says which properties.
with resumed as (
    update rentsync.feed set paused_because = null where receiver = $1 and paused_because is not null
    returning property_id
), noticed as (
    insert into rentsync.outbox (property_id, op) select property_id, 'feed' from resumed
)
select property_id from resumed order by property_id
