-- Units withheld, by receiver and kind; kinds of which there are none as well. Reads only, what is kept of each receiver.
select r.receiver, kind.kind, coalesce(sum(w.units), 0)::float8
  from rentsync.receiver r
 cross join unnest(array['refused', 'invalid', 'held', 'guarded', 'rejected', 'elsewhere']) as kind (kind)
  left join rentsync.withheld w on w.receiver = r.receiver and w.feed_id is null and w.kind = kind.kind
 group by r.receiver, kind.kind
 order by r.receiver, kind.kind
