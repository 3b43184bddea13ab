-- The proof: what is there of unit $2 for receiver $1, and in how much of it its lead may still be. Syncs that carry it, bodies
-- of these; tries of them, answers to these; rows of the ledger, texts with a lead among these; columns of bodies, answers and errors of which the
-- server keeps samples, which are any unit's. Reads only.
with carrying as materialized (
    select s.sequence, s.body is not null as has_body
      from rentsync.sync s
     where s.receiver = $1
       and exists (select from rentsync.sync_feed sf where sf.sequence = s.sequence and $2 = any (sf.units))
), tried as (
    select count(*) as tries, count(a.answer) as answers from rentsync.attempt a join carrying using (sequence)
), noted as (
    select count(*) as rows, count(*) filter (where l.content like '%"lead\_%') as texts
      from rentsync.ledger l
      join rentsync.feed f using (feed_id)
     where f.receiver = $1 and l.unit_id = $2
), sampled as (
    select count(*) as samples
      from pg_stats s
     where s.schemaname = 'rentsync' and (s.tablename, s.attname) in (('sync', 'body'), ('attempt', 'answer'), ('attempt', 'error'))
       and (s.most_common_vals is not null or s.histogram_bounds is not null)
)
select (select count(*) from carrying) as syncs, (select count(*) from carrying where has_body) as bodies,
       tried.tries, tried.answers, noted.rows, noted.texts, sampled.samples
  from tried, noted, sampled
