-- Holds of receiver $1 that need nobody any more, at $2 (null: now), because units came back or the settings $3 to $6 allow what is
-- left of them (rentsync.holds_over). What is left is told. Looks at the hold over the whole and at those of the feeds $7 (null:
-- all). Locks them and their units. Says how many holds are open after that.
with over as (
    select hold_id from rentsync.holds_over($1, $3, $4, $5, $6)
     where $7::bigint[] is null or feed_id is null or feed_id = any ($7)
), released as (
    update rentsync.ledger l
       set kept_back = null, kept_back_because = null, kept_back_at = null, owed = coalesce(l.owed, 'removal')
      from over join rentsync.held_unit u using (hold_id)
     where l.feed_id = u.feed_id and l.unit_id = u.unit_id
), cleared as (
    update rentsync.hold h
       set state = 'cleared', settled_at = coalesce($2, clock_timestamp())
      from over
     where h.hold_id = over.hold_id
)
select (select count(*) from rentsync.hold h where h.receiver = $1 and h.state = 'open') - (select count(*) from over)
