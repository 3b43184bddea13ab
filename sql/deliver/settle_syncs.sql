-- Settles the tries of syncs $2 under leases $3: their state becomes $4; an open one is due again after $5 seconds; $6 is
-- what the try counts. At $1 (null: now).
--
-- A success counts whoever reports it: the receiver did acknowledge it. Anything else only under the newest lease. Locks the
-- syncs. Returns those that changed.
update rentsync.sync s
   set state        = tried.state,
       due_at       = case tried.state when 'open' then coalesce($1, clock_timestamp()) + make_interval(secs => tried.after) end,
       settled_at   = case tried.state when 'open' then null else coalesce($1, clock_timestamp()) end,
       leased_until = null,
       lost         = 0,
       attempts     = s.attempts + tried.counts
  from unnest($2::bigint[], $3::integer[], $4::text[], $5::float8[], $6::integer[])
       as tried (sequence, lease, state, after, counts)
 where s.sequence = tried.sequence
   and s.state = 'open'
   and (tried.state = 'delivered' or s.lease = tried.lease)
returning s.sequence
