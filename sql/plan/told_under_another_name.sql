-- Whether receiver $1 was told anything of property $2 under another id than $3 and may still hold it. Reads only.
select exists (
       select from rentsync.feed f
         join rentsync.ledger l using (feed_id)
        where f.receiver = $1 and f.property_id = $2 and f.external_id is distinct from $3 and l.sequence is not null)
