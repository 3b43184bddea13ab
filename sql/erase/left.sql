-- The proof: what is there of unit $2 for receiver $1, and in how much of it its lead may still be. Syncs that carry it; bodies and answers of
-- these and of every other sync of its feeds $3; tries of the former; rows of the ledger, texts with a lead among these; hashes over its
-- names, as erase/hashes finds them; columns of bodies, answers and errors of which the server keeps samples, which are any unit's. Reads only.
with fed as materialized (
    select feed_id from unnest($3::bigint[]) as fed (feed_id)
), about as materialized (
    select s.sequence, s.body is not null as has_body, bool_or($2 = any (sf.units)) as carries
      from fed
      join rentsync.sync_feed sf using (feed_id)
      join rentsync.sync s using (sequence)
     group by s.sequence
), tried as (
    select count(*) filter (where about.carries) as tries, count(a.answer) as answers from rentsync.attempt a join about using (sequence)
), noted as (
    select count(*) as rows, count(*) filter (where l.content like '%"lead\_%') as texts
      from rentsync.ledger l
      join rentsync.feed f using (feed_id)
     where f.receiver = $1 and l.unit_id = $2
), hashed as (
    select (select count(*) from rentsync.sync_feed sf join fed using (feed_id)
             where sf.digest is not null or sf.digest_said is not null)
         + (select count(*) from rentsync.ledger l join fed using (feed_id)
             where l.unit_id = $2 and l.refused_hash is not null)
         + (select count(*) from rentsync.drift d join fed using (feed_id)
             where d.unit_id = $2 and (d.ledger_hash is not null or d.source_hash is not null)) as hashes
), sampled as (
    select count(*) as samples
      from pg_stats s
     where s.schemaname = 'rentsync' and (s.tablename, s.attname) in (('sync', 'body'), ('attempt', 'answer'), ('attempt', 'error'))
       and (s.most_common_vals is not null or s.histogram_bounds is not null)
)
select (select count(*) from about where carries) as syncs, (select count(*) from about where has_body) as bodies,
       tried.tries, tried.answers, noted.rows, noted.texts, hashed.hashes, sampled.samples
  from tried, noted, hashed, sampled
