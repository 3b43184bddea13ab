-- How far each receiver is: read by `status`, by metrics and by `verify`. Costs a look at each feed and what is open.
create or replace view rentsync.receiver_backlog as
select r.receiver, feeds.feeds, feeds.feeds_behind, feeds.feeds_cooling_down, feeds.feeds_paused, feeds.units_told,
       counted.units_owed, counted.units_replayed, counted.units_withheld,
       open.syncs as open_syncs, open.next_try, least(feeds.oldest_change, open.oldest_change) as oldest_change, last.delivered as last_delivered
  from rentsync.receiver r
 cross join lateral (
       select coalesce(sum(w.units) filter (where rentsync.is_owed(w.kind)), 0)::bigint as units_owed,
              coalesce(sum(w.units) filter (where w.kind = 'replay'), 0)::bigint as units_replayed,
              coalesce(sum(w.units) filter (where not rentsync.is_owed(w.kind)), 0)::bigint as units_withheld
         from rentsync.withheld w
        where w.receiver = r.receiver and w.feed_id is null
       ) as counted
 cross join lateral (
       select count(*) as feeds,
              count(*) filter (where f.first_change is not null or f.owes) as feeds_behind,
              count(f.cooldown_until) as feeds_cooling_down,
              count(f.paused_because) as feeds_paused,
              coalesce(sum(f.units), 0)::bigint as units_told,
              least(min(f.first_change), min(f.owed_since) filter (where f.owes)) as oldest_change
         from (select f.units, f.cooldown_until, f.paused_because, f.owed_since, first.occurred_at as first_change,
                      f.cursor is null or f.cooldown_until is not null or f.property_owed is not null
                      or counted.units_owed > 0 and f.feed_id in (
                         select w.feed_id
                           from rentsync.withheld w
                          where w.feed_id is not null and rentsync.is_owed(w.kind)
                          group by w.feed_id having sum(w.units) > 0) as owes
                 from rentsync.feed f
                cross join lateral rentsync.first_news(f.property_id, f.cursor) as first
                where f.receiver = r.receiver
               offset 0) as f
       ) as feeds
 cross join lateral (
       select count(*) as syncs, min(s.due_at) as next_try, min(s.oldest_change) as oldest_change
         from rentsync.sync s
        where s.receiver = r.receiver and s.state = 'open'
       ) as open
  left join lateral (
       select s.settled_at as delivered
         from rentsync.sync s
        where s.receiver = r.receiver and s.state = 'delivered'
        order by s.settled_at desc
        limit 1
       ) as last on true
