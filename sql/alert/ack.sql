-- A person knows: alert $1 (null: every one) about receiver $2 (null: about any). Locks them. Says how many stood open.
with acked as (
    update rentsync.alert
       set acked_at = clock_timestamp()
     where acked_at is null and ($1::bigint is null or alert_id = $1) and ($2::text is null or receiver = $2)
    returning 1
)
select count(*) from acked
