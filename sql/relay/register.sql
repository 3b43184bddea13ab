-- A row for this relay: its name is $1, the receivers it sends to are $2. Forgets relays that have been dead for an hour.
with forgotten as (
    delete from rentsync.relay where beat_at < clock_timestamp() - interval '1 hour'
)
insert into rentsync.relay (name, receivers) values ($1, $2) returning relay_id
