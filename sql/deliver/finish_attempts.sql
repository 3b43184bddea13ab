-- Writes down how tries ended at $1 (null: now): one an element, of sync $2 under lease $3, with outcome $4 and the receiver's
-- status $5. What somebody else said comes as UTF-8, $6 and $7, and in ASCII, $8 and $9: a database of another encoding has no
-- word for most of it, and refuses the statement for one character. An answer to a body that is gone, because it was erased or kept for
-- long enough, is not kept either. Counts the tries of receiver $10 by the minute they began in; one of an hour ago would pass for
-- another minute. Locks the attempts' own rows and those counts, whose receiver's row is locked already.
with ended as (
    update rentsync.attempt a
       set finished_at = moment.now, outcome = ended.outcome, status = ended.status,
           error = case when takes.all_of_it then convert_from(ended.error, 'UTF8') else ended.plain_error end,
           answer = case when not exists (select from rentsync.sync s where s.sequence = a.sequence and s.body is not null) then null
                         when takes.all_of_it then convert_from(ended.answer, 'UTF8') else ended.plain_answer end
      from unnest($2::bigint[], $3::integer[], $4::text[], $5::integer[], $6::bytea[], $7::bytea[], $8::text[], $9::text[])
           as ended (sequence, lease, outcome, status, error, answer, plain_error, plain_answer)
     cross join (select current_setting('server_encoding') in ('UTF8', 'SQL_ASCII')) as takes (all_of_it)
     cross join (select coalesce($1, clock_timestamp()) as now) as moment
     where a.sequence = ended.sequence and a.lease = ended.lease and a.finished_at is null
    returning a.outcome, date_trunc('minute', a.started_at) as began, a.started_at > moment.now - interval '59 minutes' as counts
)
insert into rentsync.attempt_count as c (receiver, outcome, minute_of_hour, began, tries)
select $10, outcome, extract(minute from began at time zone 'UTC'), began, count(*)
  from ended
 where counts
 group by outcome, began
on conflict (receiver, outcome, minute_of_hour) do update
   set began = excluded.began, tries = excluded.tries + case when c.began = excluded.began then c.tries else 0 end
