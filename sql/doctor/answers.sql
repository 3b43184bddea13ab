-- What the newest $2 acknowledgements of receiver $1 look like: how many there are; how many of them are pages, JSON objects; and
-- how many say a digest of each property whose digest the body carried, or answer a body without any, as before a snapshot's last part;
-- none of them where no digest was asked for at all. Reads only.
select count(*) as all,
       count(*) filter (where newest.answer ~* '^\s*<(!doctype\s+html|html)[\s>]') as pages,
       count(*) filter (where newest.answer ~ '^\s*\{') as json,
       case when bool_or(newest.was_sent) then count(*) filter (where newest.answer ~ '^\s*\{' and newest.has_digests) else 0 end
           as digests
  from (
       select (select a.answer from rentsync.attempt a
                where a.sequence = s.sequence and a.outcome = 'delivered'
                order by a.lease desc limit 1) as answer,
              s.part = s.parts
                and exists (select from rentsync.sync_feed f
                             where f.sequence = s.sequence and f.digest is not null) as was_sent,
              s.part < s.parts
                or not exists (select from rentsync.sync_feed f
                                where f.sequence = s.sequence and f.digest is not null and f.digest_said is null) as has_digests
         from rentsync.sync s
        where s.receiver = $1 and s.state = 'delivered'
        order by s.settled_at desc
        limit $2
       ) as newest
