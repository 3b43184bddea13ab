-- Units kept back, by receiver and kind; kinds of which there are none as well. Reads only.
select r.receiver, kind.kept_back, count(l.unit_id)::float8
  from rentsync.receiver r
 cross join unnest(array['refused', 'invalid', 'held', 'guarded', 'rejected', 'elsewhere']) as kind (kept_back)
  left join (rentsync.ledger l join rentsync.feed f using (feed_id))
    on f.receiver = r.receiver and l.kept_back = kind.kept_back
 group by r.receiver, kind.kept_back
 order by r.receiver, kind.kept_back
