-- Units kept back, by receiver and kind; kinds of which there are none as well. Reads only, what is kept of each receiver.
select r.receiver, kind.kept_back, coalesce(sum(w.units), 0)::float8
  from rentsync.receiver r
 cross join unnest(array['refused', 'invalid', 'held', 'guarded', 'rejected', 'elsewhere']) as kind (kept_back)
  left join rentsync.withheld w on w.receiver = r.receiver and w.feed_id is null and w.kept_back = kind.kept_back
 group by r.receiver, kind.kept_back
 order by r.receiver, kind.kept_back
