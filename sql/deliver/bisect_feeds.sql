-- The feeds $1 of the rejected sync $2 are sent again in two halves, each by itself. Locks the feeds.
with half as (
    select feed_id, $2 * 2 + (row_number() over (order by feed_id) * 2 > count(*) over ())::integer as bisection
      from unnest($1::bigint[]) as feed (feed_id)
)
update rentsync.feed f set bisection = half.bisection from half where f.feed_id = half.feed_id
