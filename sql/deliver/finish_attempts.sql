-- Writes down how tries ended. Locks the attempts' own rows only.
update rentsync.attempt a
   set finished_at = coalesce($1, clock_timestamp()), outcome = ended.outcome, status = ended.status,
       error = ended.error, answer = ended.answer
  from unnest($2::bigint[], $3::integer[], $4::text[], $5::integer[], $6::text[], $7::text[])
       as ended (sequence, lease, outcome, status, error, answer)
 where a.sequence = ended.sequence and a.lease = ended.lease and a.finished_at is null
