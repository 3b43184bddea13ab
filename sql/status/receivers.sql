-- Every receiver ($1: this one, null: all) and whether it may be sent to. Reads only.
select receiver,
       case when paused_at is not null then 'paused'
            when wait_until > clock_timestamp() then 'waiting'
            else 'open'
       end as state,
       paused_because,
       nullif(probe_at, 'infinity') as probe_at,
       case when wait_until > clock_timestamp() then wait_until end as wait_until
  from rentsync.receiver
 where $1::text is null or receiver = $1
 order by receiver
