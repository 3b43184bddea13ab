-- Enables or disables ($3) or pauses or resumes ($4: false, which ends a rest too) the feed of property $2 to receiver $1, or sets what the receiver
-- calls the property ($5; empty: as the source does); enabling enrols a property of the source that has no feed. Whoever
-- disables a feed has thought better of removals that were rejected. Locks the feed and those units. A row in the outbox has
-- it planned at once. Says whether there is one.
with known as (
    insert into rentsync.receiver (receiver) values ($1) on conflict do nothing
), changed as (
    update rentsync.feed
       set enabled = coalesce($3, enabled),
           paused_because = case when $4 then 'paused by command' when not $4 then null else paused_because end,
           cooldown_until = case when not $4 then null else cooldown_until end,
           cooldown_because = case when not $4 then null else cooldown_because end,
           external_id = case when $5::text is null then external_id else nullif($5, '') end
     where receiver = $1 and property_id = $2
    returning feed_id, property_id
), approved as (
    update rentsync.ledger l
       set withheld = null, withheld_because = null, withheld_at = null, owed = 'approved'
      from changed
     where not $3 and l.feed_id = changed.feed_id and l.withheld = 'rejected'
), enrolled as (
    insert into rentsync.feed (receiver, property_id, external_id)
    select $1, p.property_id, nullif($5, '') from rentsync.source_property() p
     where $3 and p.property_id = $2 and not exists (select from changed)
    returning property_id
), noticed as (
    insert into rentsync.outbox (property_id, op)
    select property_id, 'feed' from changed union all select property_id, 'feed' from enrolled
)
select exists (select from changed) or exists (select from enrolled)
