-- A view, so that whoever looks for a lease, a place or a plan of a dead relay means the same by dead.
create or replace view rentsync.live_relay as
select relay_id, name, receivers from rentsync.relay where beat_at > clock_timestamp() - interval '5 seconds'
